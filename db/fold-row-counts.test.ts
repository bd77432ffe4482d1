import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { addAccounts } from '../scripts/bench/gateway/fill-database.js';
import { addTemplate } from '../tests/support/add-template.js';
import { addZone } from '../tests/support/add-zone.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import { addMachines, writeAtRandom } from '../tests/support/write-at-random.js';
import type { Database } from './client.js';
import { putAwayEvents } from './events.js';
import { foldRowCounts } from './fold-row-counts.js';
import { purgeEvents, purgeJobs, purgeRemoved } from './purge.js';
import type { Caller } from './reads/find-caller.js';
import { findDefaultAdmin } from './reads/find-login.js';
import { listEvents } from './reads/list-events.js';
import { listJobs } from './reads/list-jobs.js';
import type { Listed, Page, Scope } from './reads/list-query.js';
import { listTags } from './reads/list-tags.js';
import { listTemplates } from './reads/list-templates.js';
import { listVirtualMachines } from './reads/list-virtual-machines.js';
import { listVolumes } from './reads/list-volumes.js';
import { TEMPLATE_FILTERS } from './reads/template-views.js';
import { activateTemplate } from './templates.js';

let database: TestDatabase;
let db: Database;
let admin: Caller;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = database);
  await addAccounts(db, database.secretBox);
  admin = (await findDefaultAdmin(db))!;
  await addTemplate(database, admin);
  await addZone(db);
});
afterAll(() => database.drop());

/** What the triggers have to agree with: the rows that lists show, each with what it is counted as. */
const LISTED = sql.join(
  [
    sql`select 'vm_instance' as counted, account_id from vm_instance where state <> 'Expunged'`,
    sql`select 'volumes', account_id from volumes where state <> 'Expunged' and removed is null`,
    sql`select 'async_job', account_id from async_job`,
    sql`select 'event', account_id from event where not archived`,
    sql`select 'resource_tags', account_id from resource_tags`,
    sql`
      select case when format = 'ISO' then 'iso' else 'template' end
        || case when not is_public then '' when is_featured then ' featured' else ' community' end, account_id
      from vm_template join template_store_ref on template_store_ref.template_id = vm_template.id
      where vm_template.state = 'Active' and vm_template.removed is null and template_store_ref.state = 'Ready'`,
  ],
  sql` union all `,
);

/** Numbers that are wrong, as one statement sees them. */
const wrongNumbers = (): PromiseLike<unknown[]> =>
  db.execute(sql`
    select counted, account_id, sum("rows") as off from (
      select counted, account_id, "rows" from row_count union all select listed.*, -1 from (${LISTED}) as listed
    ) as all_rows
    group by counted, account_id having sum("rows") <> 0`);

const rowsOfRowCount = async (): Promise<number> =>
  (await db.execute<{ count: number }>(sql`select count(*)::int from row_count`))[0]!.count;

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let left = times; left > 0; left--) await work();
}

type List = (caller: Caller, scope: Scope, page: Page) => Promise<Listed<unknown>>;
const LISTS: Record<string, List> = {
  listVirtualMachines: (caller, scope, page) => listVirtualMachines(db, caller, { scope }, page),
  listVolumes: (caller, scope, page) => listVolumes(db, caller, { scope }, page),
  listAsyncJobs: (caller, scope, page) => listJobs(db, caller, { scope }, page),
  listEvents: (caller, scope, page) => listEvents(db, caller, { scope }, page),
  'listEvents, archived': (caller, scope, page) => listEvents(db, caller, { scope, isArchived: true }, page),
  listTags: (caller, scope, page) => listTags(db, caller, { scope }, page),
  ...Object.fromEntries(
    [false, true].flatMap((isIso) =>
      TEMPLATE_FILTERS.flatMap((templateFilter) =>
        [false, true].map((isScopeNamed): [string, List] => {
          const filter = { isIso, templateFilter, isScopeNamed, isRemovedShown: false, isAscending: true };
          return [
            `${isIso ? 'listIsos' : 'listTemplates'}, ${templateFilter}${isScopeNamed ? ', of an account' : ''}`,
            (caller, scope, page) => listTemplates(db, caller, { ...filter, scope }, page),
          ];
        }),
      ),
    ),
  ),
};

const areWaiting = (processes: number) => async (): Promise<boolean> => {
  const [row] = await db.execute<{ count: number }>(
    sql`select count(*)::int from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  );
  return row!.count === processes;
};

describe('the kept numbers of rows', () => {
  it('are right whatever is written, purged, taken back and folded at once', async () => {
    await Promise.all([
      ...[1, 2, 3].map(() => repeat(60, () => writeAtRandom(db))),
      ...[1, 2].map(() =>
        repeat(20, async () => {
          await foldRowCounts(db);
          expect(await wrongNumbers()).toEqual([]);
        }),
      ),
    ]);
    await purgeRemoved(db, 0);
    await Promise.all([purgeEvents(db, 50), purgeJobs(db, 70_000), foldRowCounts(db)]);
    await putAwayEvents(db, { ...admin, role: 'User' }, {}, 'archive');
    await putAwayEvents(db, admin, { to: new Date(Date.now() - 40 * 86_400_000) }, 'delete');
    expect(await wrongNumbers()).toEqual([]);
  });

  it.each(Object.entries(LISTS))('are what %s says, to whoever asks, behind its last page too', async (_name, list) => {
    await addMachines(db);
    const [owner] = await db.execute<{ accountId: string }>(
      sql`select account_id as "accountId" from vm_instance where state <> 'Expunged' limit 1`,
    );
    const own: Scope = { of: 'account', ...owner! };
    const inRoot: Scope = { of: 'domain', path: '/', isRecursive: false };
    const asked: [Caller, Scope][] = [
      [admin, { of: 'everybody' }],
      [admin, inRoot],
      [admin, own],
      [{ ...admin, role: 'DomainAdmin' }, { of: 'everybody' }],
      [{ ...admin, role: 'DomainAdmin', domainPath: '/none/' }, inRoot],
      [{ ...admin, ...owner!, role: 'User' }, own],
      [{ ...admin, role: 'User', accountId: randomUUID() }, own],
    ];
    for (const [caller, scope] of asked) {
      const { count, rows } = await list(caller, scope, { limit: 100_000, offset: 0 });
      expect(count).toBe(rows.length);
      expect(await list(caller, scope, { limit: 7, offset: 3 })).toEqual({ count, rows: rows.slice(3, 10) });
      expect(await list(caller, scope, { limit: 1, offset: 100_000 })).toEqual({ count, rows: [] });
    }
  });

  it('are one for an account and table when they are folded, and none for what has no rows', async () => {
    await foldRowCounts(db);
    const [groups] = await db.execute<{ count: number }>(
      sql`select count(*)::int from (select counted, account_id from row_count group by 1, 2 having sum("rows") <> 0) as of_one`,
    );
    expect(await rowsOfRowCount()).toBe(groups!.count);
    await db.execute(sql`truncate event, vm_instance, vm_template cascade`);
    await foldRowCounts(db);
    expect(await wrongNumbers()).toEqual([]);
    expect(await db.execute(sql`select distinct counted from row_count`)).toEqual([{ counted: 'async_job' }]);
  });

  it('go with the rows of an account that is deleted', async () => {
    const gone = sql`(select id from account where account_name = 'bench-1')`;
    await db.execute(sql`delete from async_job where account_id = ${gone}`);
    await db.execute(sql`delete from "user" where account_id = ${gone}`);
    await db.execute(sql`delete from account where id = ${gone}`);
    await foldRowCounts(db);
    expect(await wrongNumbers()).toEqual([]);
  });

  it('follow a template that comes to a zone while others are let see it', async () => {
    const id = await addTemplate(database, admin, { isRegistering: true });
    let arrived: Promise<void> | undefined;
    await db.transaction(async (tx) => {
      await tx.execute(sql`update vm_template set is_public = true where id = ${id}`);
      arrived = activateTemplate(db, { templateId: id, zoneIds: [database.seeded.zoneId] });
      await waitFor('it waits', areWaiting(1), 4_000, 10);
    });
    await arrived;
    expect(await wrongNumbers()).toEqual([]);
    let gone: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await tx.execute(sql`update vm_template set is_featured = true where id = ${id}`);
      gone = db
        .execute(sql`update template_store_ref set state = 'Destroyed' where template_id = ${id}`)
        .then((rows) => rows);
      await waitFor('it waits', areWaiting(1), 4_000, 10);
    });
    await gone;
    expect(await wrongNumbers()).toEqual([]);
  });

  it('have what is written while they are counted for the first time', async () => {
    const add = (tx: Pick<Database, 'execute'>, name: string) =>
      tx.execute(sql`
        insert into ssh_keypairs (account_id, keypair_name, fingerprint, public_key)
        values (${admin.accountId}, ${name}, 'aa:bb', 'ssh-ed25519 AAAA')`);
    await add(db, 'before');
    let filled: Promise<unknown> | undefined;
    let after: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await add(tx, 'meanwhile');
      filled = db.transaction((other) => other.execute(sql`select keep_row_count('ssh_keypairs', 'true')`));
      await waitFor('the count waits for who writes', areWaiting(1), 4_000, 10);
      after = add(db, 'after').then((added) => added);
      await waitFor('who writes waits for the count', areWaiting(2), 4_000, 10);
    });
    await Promise.all([filled, after]);
    const [kept] = await db.execute(
      sql`select sum("rows")::int as number from row_count where counted = 'ssh_keypairs'`,
    );
    expect(kept).toEqual({ number: 3 });
  });
});
