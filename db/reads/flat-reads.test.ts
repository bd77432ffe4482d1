import { sql } from 'drizzle-orm';
import { addAccounts, addTemplates, addVirtualMachines } from '../../scripts/bench/gateway/fill-database.js';
import { createTestDatabase, type TestDatabase } from '../../tests/support/test-database.js';
import { type Database, type DatabaseHandle, openDatabase } from '../client.js';
import { requireRoom } from '../require-room.js';
import { createVirtualMachine } from '../virtual-machines.js';
import { readSettings, writeSettings } from '../settings.js';
import type { Caller } from './find-caller.js';
import { findDefaultAdmin } from './find-login.js';
import { listEvents } from './list-events.js';
import { listJobs } from './list-jobs.js';
import type { Listed, Page, Scope } from './list-query.js';
import { listTags } from './list-tags.js';
import { listKeyPairs } from './list-ssh-key-pairs.js';
import { listTemplates, type TemplateFilter } from './list-templates.js';
import { listUsers } from './list-users.js';
import { listVirtualMachines } from './list-virtual-machines.js';
import { listVolumes } from './list-volumes.js';

/** How much of a table is read by a page of its list, and by the limits of an account, whatever there is of it. */

const ROWS = 10_000;
const TEMPLATES = 2_000;
const PAGE: Page = { limit: 10, offset: 0 };
/** Of the table of a list, for a page: what is on it, found and put together. */
const MOST_READ = 5 * PAGE.limit;

let database: TestDatabase;
/** Of one connection: what it has read is known when it says so. */
let handle: DatabaseHandle;
let admin: Caller;
let user: Caller;

jest.setTimeout(60_000);

beforeAll(async () => {
  database = await createTestDatabase();
  handle = openDatabase(database.databaseUrl, { applicationName: 'test', max: 1 });
  const { db } = handle;
  await addAccounts(db, database.secretBox);
  await addTemplates(db, TEMPLATES);
  await db.execute(sql`update vm_template set is_public = true where name like 'template-%00'`);
  await addVirtualMachines(db, 1, ROWS);
  await db.execute(sql`
    insert into async_job (account_id, user_id, job_cmd, workflow_type, workflow_id, workflow_input, job_status, instance_type,
      instance_id, created, completed)
    select vm.account_id, u.id, 'deployVirtualMachine', 'deployVirtualMachine', 'vm-' || vm.id, '{}', 1, 'VirtualMachine', vm.id,
      vm.created, vm.created
    from vm_instance vm join "user" u on u.account_id = vm.account_id`);
  await db.execute(sql`
    insert into event (type, level, description, account_id, resource_type, resource_id, created)
    select 'VM.CREATE', 'INFO', 'VM ' || name || ' is running on a host', account_id, 'VirtualMachine', id, created from vm_instance`);
  await db.execute(sql`
    insert into ssh_keypairs (account_id, keypair_name, fingerprint, public_key)
    select account_id, name, 'aa:bb', 'ssh-ed25519 AAAA' from vm_instance`);
  await db.execute(sql`
    with owner as (
      insert into account (account_name, type, domain_id)
      select 'many-' || n, 'User', (select id from domain where path = '/') from generate_series(1, ${ROWS}::int) n
      returning id, account_name, domain_id
    )
    insert into "user" (username, password, account_id, domain_id) select account_name, 'none', id, domain_id from owner`);
  await db.execute(sql`
    insert into resource_tags (key, value, account_id, instance_id, created)
    select case when name like 'vm-77%' then 'rare' else 'common' end, name, account_id, id, created from vm_instance`);
  await db.execute(sql`
    with little as (
      insert into domain (name, parent_id, path) select 'little', id, '/little/' from domain where path = '/' returning id
    )
    update account set domain_id = little.id from little where account_name = 'bench-9'`);
  await db.execute(sql`vacuum analyze`);
  admin = (await findDefaultAdmin(db))!;
  const [row] = await db.execute<{ accountId: string; userId: string }>(
    sql`select account_id as "accountId", id as "userId" from "user" where username = 'bench-7'`,
  );
  user = { ...admin, ...row!, role: 'User' };
});
afterAll(async () => {
  await handle.close();
  await database.drop();
});

/** Rows that something reads of a table itself, and entries of its indexes. */
async function readsOf(
  table: string,
  work: (db: Database) => Promise<unknown>,
): Promise<{ rows: number; entries: number }> {
  const { db } = handle;
  const count = async () => {
    await db.execute(sql`select pg_stat_force_next_flush()`);
    const [row] = await db.execute<{ rows: number; entries: number }>(sql`
      select (seq_tup_read + idx_tup_fetch)::int as "rows",
        (select sum(idx_tup_read) from pg_stat_user_indexes indexes where indexes.relid = tables.relid)::int as entries
      from pg_stat_user_tables tables where relname = ${table}`);
    return row!;
  };
  const before = await count();
  await work(db);
  const after = await count();
  return { rows: after.rows - before.rows, entries: after.entries - before.entries };
}

const rowsRead = async (table: string, work: (db: Database) => Promise<unknown>): Promise<number> =>
  (await readsOf(table, work)).rows;

type List = (db: Database, caller: Caller, scope: Scope, page: Page) => Promise<Listed<unknown>>;

/** With the table that must not be read whole: its own, or where that is small, one that its rows are put together with. */
const LISTS: [string, string, List][] = [
  ['listVirtualMachines', 'vm_instance', (db, who, scope, page) => listVirtualMachines(db, who, { scope }, page)],
  ['listVolumes', 'vm_instance', (db, who, scope, page) => listVolumes(db, who, { scope }, page)],
  ['listAsyncJobs', 'async_job', (db, who, scope, page) => listJobs(db, who, { scope }, page)],
  ['listEvents', 'event', (db, who, scope, page) => listEvents(db, who, { scope }, page)],
  ['listSSHKeyPairs', 'account', (db, who, scope, page) => listKeyPairs(db, who, { scope }, page)],
  ['listTags', 'resource_tags', (db, who, scope, page) => listTags(db, who, { scope }, page)],
  ['listUsers', 'account', (db, who, scope, page) => listUsers(db, who, { scope }, page)],
];

type Whose = 'of all' | 'of one account' | 'of a domain that has little' | 'of a domain that has nothing';
function whose(what: Whose): [Caller, Scope] {
  switch (what) {
    case 'of all':
      return [admin, { of: 'everybody' }];
    case 'of one account':
      return [user, { of: 'account', accountId: user.accountId }];
    case 'of a domain that has little':
      return [{ ...admin, role: 'DomainAdmin', domainPath: '/little/' }, { of: 'everybody' }];
    case 'of a domain that has nothing':
      return [admin, { of: 'domain', path: '/nothing/', isRecursive: true }];
  }
}

describe.each(LISTS)('%s reads of the table %s what is on its page', (_name, table, list) => {
  test.each<[Whose, number]>([
    ['of all', 0],
    ['of all', PAGE.limit],
    ['of one account', 0],
  ])('%s, from row %i on', async (what, offset) => {
    let listed: Listed<unknown> | undefined;
    const read = await rowsRead(table, async (db) => {
      listed = await list(db, ...whose(what), { ...PAGE, offset });
    });
    if (what === 'of all') expect(listed).toMatchObject({ rows: { length: PAGE.limit } });
    expect(read).toBeLessThanOrEqual(MOST_READ);
  });
});

/** With their own tables. */
const KEPT: [string, string, List][] = [
  ['listVirtualMachines', 'vm_instance', (db, who, scope, page) => listVirtualMachines(db, who, { scope }, page)],
  ['listVolumes', 'volumes', (db, who, scope, page) => listVolumes(db, who, { scope }, page)],
  ['listAsyncJobs', 'async_job', (db, who, scope, page) => listJobs(db, who, { scope }, page)],
  ['listEvents', 'event', (db, who, scope, page) => listEvents(db, who, { scope }, page)],
  ['listTags', 'resource_tags', (db, who, scope, page) => listTags(db, who, { scope }, page)],
];

describe.each(KEPT)('%s counts all without a look at what there is in %s or its indexes', (_name, table, list) => {
  test.each<[Whose, number]>([
    ['of all', ROWS],
    ['of one account', ROWS / 100],
    ['of a domain that has little', ROWS / 100],
    ['of a domain that has nothing', 0],
  ])('%s', async (what, count) => {
    let listed: Listed<unknown> | undefined;
    const { rows, entries } = await readsOf(table, async (db) => {
      listed = await list(db, ...whose(what), PAGE);
    });
    expect(listed).toMatchObject({ count });
    expect(rows + entries).toBeLessThanOrEqual(MOST_READ);
  });
});

describe.each(['vm_template', 'template_store_ref'])(
  'listTemplates looks at what of %s is on its page, and counts no more',
  (table) => {
    const base = { isIso: false, isScopeNamed: false, isRemovedShown: false };
    test.each<[Whose, TemplateFilter['templateFilter'], number]>([
      ['of all', 'all', TEMPLATES],
      ['of one account', 'self', TEMPLATES / 100],
      ['of one account', 'community', TEMPLATES / 100],
      ['of one account', 'featured', 0],
    ])('%s, %s', async (what, templateFilter, count) => {
      const [caller, scope] = whose(what);
      let listed: Listed<unknown> | undefined;
      // From either end, and so often that the plan of the prepared statement is the one for any page.
      for (const isAscending of [true, false].flatMap((order) => Array<boolean>(7).fill(order))) {
        const { rows, entries } = await readsOf(table, async (db) => {
          listed = await listTemplates(db, caller, { ...base, templateFilter, scope, isAscending }, PAGE);
        });
        expect(listed).toMatchObject({ count });
        expect(rows + entries).toBeLessThanOrEqual(3 * MOST_READ);
      }
    });
  },
);

test('machines with a tag are found by the tag', async () => {
  const tags = [{ key: 'rare', value: 'vm-777' }];
  let listed: Listed<unknown> | undefined;
  const read = await rowsRead('vm_instance', async (db) => {
    listed = await listVirtualMachines(db, admin, { scope: { of: 'everybody' }, tags }, PAGE);
  });
  expect(listed).toMatchObject({ count: 1 });
  expect(read).toBeLessThanOrEqual(MOST_READ);
});

describe('a deployment looks at no more of what its account has', () => {
  const deploy = (db: Database) =>
    db.transaction(async (tx) => {
      const settings = await readSettings(tx);
      const [row] = await tx.execute<{ zoneId: string; templateId: string; serviceOfferingId: string }>(sql`
        select data_center_id as "zoneId", template_id as "templateId", service_offering_id as "serviceOfferingId"
        from vm_instance where account_id = ${user.accountId} limit 1`);
      await createVirtualMachine(tx, { ...row!, accountId: user.accountId, lockBy: settings });
      await requireRoom(tx, { ...user, isLocked: true }, ['user_vm', 'cpu', 'memory', 'primary_storage'], settings);
    });

  test.each(['-1', '100000'])('with limits of %s', async (value) => {
    const names = ['user.vms', 'cpus', 'memory', 'primary.storage'].map((name) => `max.account.${name}`);
    await writeSettings(handle.db, Object.fromEntries(names.map((name) => [name, value])));
    for (const table of ['vm_instance', 'volumes']) expect(await rowsRead(table, deploy)).toBeLessThan(10);
  });
});
