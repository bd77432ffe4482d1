import { randomInt, randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { addAccounts } from '../scripts/bench/gateway/fill-database.js';
import { addTemplate } from '../tests/support/add-template.js';
import { addZone } from '../tests/support/add-zone.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import type { Database, Transaction } from './client.js';
import { putAwayEvents } from './events.js';
import { foldRowCounts } from './fold-row-counts.js';
import { markExpunged } from './mark-expunged.js';
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

let database: TestDatabase;
let db: Database;
let admin: Caller;
let templateId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = database);
  await addAccounts(db, database.secretBox);
  admin = (await findDefaultAdmin(db))!;
  templateId = await addTemplate(database, admin);
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

type Write = (tx: Transaction) => PromiseLike<unknown>;

/** Few accounts, so that those who write at once write for the same. */
const someAccount = sql`(select id from account where account_name like 'bench-_' order by random() limit 1)`;
/** Of rows that nobody else is at: who waits for whom is not what this is about. */
const some = (rows: SQL) =>
  sql`(select id from ${rows} order by random() limit ${randomInt(1, 4)} for update skip locked)`;
const shown = sql`vm_instance where state <> 'Expunged'`;
/** But for that of the machines. */
const templates = sql`vm_template where name <> 'debian'`;
const old = sql`now() - random() * interval '100 days'`;

const addMachines: Write = (tx) =>
  tx.execute(sql`
    with made as (
      insert into vm_instance (name, display_name, instance_name, account_id, data_center_id, template_id, service_offering_id, state)
      select 'vm', 'vm', gen_random_uuid()::text, account.id, (select id from data_center limit 1), ${templateId}::uuid,
        (select id from service_offering limit 1), 'Stopped'
      from account where account_name like 'bench-_' order by random() limit ${randomInt(1, 5)}
      returning id, account_id)
    insert into volumes (name, account_id, instance_id, volume_type, template_id)
    select 'disk', account_id, id, 'ROOT', ${templateId}::uuid from made`);

/** A template or an ISO, to be there at once in each zone. */
const addTemplates: Write = (tx) =>
  tx.execute(sql`
    with made as (
      insert into vm_template (name, display_text, account_id, state, format, url_encrypted, url, is_public, is_featured)
      select 'some', 'some', ${someAccount}, case when random() < 0.8 then 'Active' else 'Registering' end,
        case when random() < 0.5 then 'ISO' else 'QCOW2' end, 'none', 'none', random() < 0.5, random() < 0.5
      from generate_series(1, ${randomInt(1, 4)}::int)
      returning id)
    insert into template_store_ref (template_id, data_center_id) select made.id, data_center.id from made cross join data_center`);

const ofTemplates: Write[] = [
  addTemplates,
  addTemplates,
  (tx) => tx.execute(sql`update vm_template set is_public = not is_public where id in ${some(templates)}`),
  (tx) => tx.execute(sql`update vm_template set is_featured = not is_featured where id in ${some(templates)}`),
  (tx) => tx.execute(sql`update vm_template set name = 'another' where id in ${some(templates)}`),
  (tx) => tx.execute(sql`update vm_template set account_id = ${someAccount} where id in ${some(templates)}`),
  (tx) =>
    tx.execute(
      sql`update vm_template set state = 'Active' where id in ${some(sql`vm_template where state = 'Registering'`)}`,
    ),
  (tx) => tx.execute(sql`update vm_template set state = 'Inactive', removed = now() where id in ${some(templates)}`),
  (tx) => tx.execute(sql`delete from vm_template where id in ${some(templates)}`),
  // From its zones, one by one, and to them again. Whoever does so has the template first.
  (tx) =>
    tx.execute(sql`
      with held as materialized ${some(templates)}
      update template_store_ref set state = case when random() < 0.5 then 'Destroyed' else state end
      where template_id in (select id from held)`),
  (tx) => tx.execute(sql`delete from template_store_ref where template_id in ${some(templates)}`),
  (tx) =>
    tx.execute(sql`
      with held as materialized ${some(templates)}
      insert into template_store_ref (template_id, data_center_id) select held.id, data_center.id from held cross join data_center
      on conflict do nothing`),
];

const WRITES: Write[] = [
  ...ofTemplates,
  addMachines,
  addMachines,
  (tx) =>
    tx.execute(sql`
      insert into event (type, level, description, account_id, created)
      select 'VM.CREATE', 'INFO', 'of somebody', id, ${old} from account where account_name like 'bench-_' union all
      select 'HOST.DOWN', 'WARN', 'of nobody', null, ${old}`),
  (tx) =>
    tx.execute(sql`
      insert into async_job (account_id, user_id, job_cmd, workflow_type, workflow_id, workflow_input, job_status, instance_type, completed)
      select account_id, id, 'some', 'some', gen_random_uuid(), '{}', 1, 'None', ${old} from "user" where username like 'bench-_'`),
  (tx) =>
    tx.execute(sql`
      insert into resource_tags (key, value, account_id, instance_id)
      select 'key', 'value', account_id, id from vm_instance where id in ${some(shown)} on conflict do nothing`),
  async (tx) => {
    const ended = await tx.execute<{ id: string }>(sql`
      update vm_instance set state = 'Destroyed', ended = now() where id in ${some(shown)} returning id`);
    for (const { id } of ended) await markExpunged(tx, id, 'Destroyed');
  },
  // What no code does: the numbers follow all the same.
  (tx) => tx.execute(sql`update vm_instance set account_id = ${someAccount} where id in ${some(sql`vm_instance`)}`),
  (tx) =>
    tx.execute(
      sql`update vm_instance set state = 'Stopped' where id in ${some(sql`vm_instance where state = 'Expunged'`)}`,
    ),
  // Another disk takes its place; one ends by itself.
  (tx) => tx.execute(sql`update volumes set removed = now() where id in ${some(sql`volumes where removed is null`)}`),
  (tx) =>
    tx.execute(sql`update volumes set state = 'Expunged' where id in ${some(sql`volumes where removed is not null`)}`),
  (tx) => tx.execute(sql`update event set archived = not archived where id in ${some(sql`event`)}`),
  (tx) => tx.execute(sql`update async_job set job_result_code = 530 where id in ${some(sql`async_job`)}`),
  (tx) => tx.execute(sql`delete from event where id in ${some(sql`event`)}`),
  (tx) => tx.execute(sql`delete from volumes where id in ${some(sql`volumes`)}`),
  (tx) =>
    tx.execute(sql`
      delete from vm_instance where id in ${some(sql`vm_instance where id not in (select instance_id from volumes)`)}`),
  (tx) => tx.execute(sql`delete from resource_tags where id in ${some(sql`resource_tags`)}`),
  (tx) =>
    tx.execute(sql`
      insert into resource_tags (key, value, account_id, instance_id) select 'key', 'another', account_id, id from vm_instance
      where id in ${some(shown)} on conflict (instance_id, key) do update set value = excluded.value`),
];

class TakenBack extends Error {}
const unlessTakenBack = (error: unknown): void => {
  // What is written here in any order may deadlock, and is taken back then.
  const isDeadlock = ((error as Error).cause as { code?: string } | undefined)?.code === '40P01';
  if (!(error instanceof TakenBack) && !isDeadlock) throw error;
};

/** A few writes, some of them, or all, taken back. */
const transact = (): Promise<void> =>
  db
    .transaction(async (tx) => {
      for (let left = randomInt(1, 5); left > 0; left--) {
        const write = WRITES[randomInt(WRITES.length)]!;
        if (randomInt(4) > 0) await write(tx);
        else
          await tx
            .transaction(async (inner) => {
              await write(inner);
              throw new TakenBack();
            })
            .catch(unlessTakenBack);
      }
      if (randomInt(4) === 0) throw new TakenBack();
    })
    .catch(unlessTakenBack);

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

describe('the kept numbers of rows', () => {
  it('are right whatever is written, purged, taken back and folded at once', async () => {
    await Promise.all([
      ...[1, 2, 3].map(() => repeat(60, transact)),
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
    await addMachines(db as unknown as Transaction);
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

  it('have what is written while they are counted for the first time', async () => {
    const add = (tx: Pick<Database, 'execute'>, name: string) =>
      tx.execute(sql`
        insert into ssh_keypairs (account_id, keypair_name, fingerprint, public_key)
        values (${admin.accountId}, ${name}, 'aa:bb', 'ssh-ed25519 AAAA')`);
    const areWaiting = (processes: number) => async () => {
      const [row] = await db.execute<{ count: number }>(
        sql`select count(*)::int from pg_locks where relation = 'ssh_keypairs'::regclass and not granted`,
      );
      return row!.count === processes;
    };
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
