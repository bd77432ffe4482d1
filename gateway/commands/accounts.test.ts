import { eq, sql } from 'drizzle-orm';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import { setAccountState } from '../../db/accounts.js';
import { createJob } from '../../db/jobs.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import { account, domain, session, sshKeypairs, user, vmInstance, vmTemplate } from '../../db/schema/index.js';
import { openSession } from '../../db/sessions.js';
import { accountWorkflowId } from '../../shared/workflow-ids.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { databaseTexts } from '../../tests/support/written-texts.js';
import { accountFields } from '../responses/account.js';
import { domainFields } from '../responses/domain.js';
import { userFields } from '../responses/user.js';

type Row = Record<string, unknown>;

/** Hooks make whole families of accounts, and the machine may have other work. */
jest.setTimeout(30_000);

let gateway: TestGateway;
let admin: CloudStackClient;
let rootId: string;

/** An account of its own in a domain, with a client of its first user. */
interface Member {
  accountId: string;
  userId: string;
  client: CloudStackClient;
}

beforeAll(async () => {
  gateway = await startTestGateway();
  ({ admin } = gateway);
  const [root] = await gateway.db.select().from(domain).where(eq(domain.path, '/'));
  rootId = root!.id;
});
afterAll(() => gateway.stop());

let made = 0;
const unique = (name: string): string => `${name}${(made += 1)}`;

const newDomain = async (parentdomainid = rootId, client = admin): Promise<string> =>
  ((await client.call('createDomain', { name: unique('d'), parentdomainid }))['domain'] as Row)['id'] as string;

const PERSON = { password: 'correct horse', email: 'a@example.org', firstname: 'Ada', lastname: 'L' };

const clientOf = async (userId: string): Promise<CloudStackClient> => {
  const { userkeys } = await admin.call('registerUserKeys', { id: userId });
  const { apikey, secretkey } = userkeys as Record<string, string>;
  return createCloudStackClient({ endpoint: gateway.endpoint, apiKey: apikey!, secretKey: secretkey! });
};

const newMember = async (domainid: string, accounttype = 0): Promise<Member> => {
  const answer = await admin.call('createAccount', { ...PERSON, username: unique('u'), accounttype, domainid });
  const { id, user: users } = answer['account'] as Row;
  const userId = (users as Row[])[0]!['id'] as string;
  return { accountId: id as string, userId, client: await clientOf(userId) };
};

const ids = (rows: unknown): string[] => ((rows ?? []) as Row[]).map(({ id }) => id as string).toSorted();
const listed = async (client: CloudStackClient, command: string, key: string, more: Row = {}) =>
  ids((await client.call(command, more as Record<string, string>))[key]);

describe('accounts', () => {
  test('are made with a user, and shown as CloudStack shows them', async () => {
    const domainid = await newDomain();
    const { account: shown } = await admin.call('createAccount', {
      ...PERSON,
      username: 'ada',
      account: 'lovelace',
      accounttype: 2,
      domainid,
      timezone: 'Europe/Vienna',
    });
    expect(shown).toMatchObject({
      name: 'lovelace',
      accounttype: 2,
      roletype: 'DomainAdmin',
      rolename: 'Domain Admin',
      domainid,
      domainpath: expect.stringMatching(/^ROOT\/d\d+$/) as string,
      state: 'enabled',
      isdefault: false,
      vmlimit: '20',
      vmtotal: 0,
      vmavailable: '20',
      primarystoragelimit: '200',
      user: [{ username: 'ada', email: 'a@example.org', account: 'lovelace', timezone: 'Europe/Vienna' }],
    });
    const answer = shown as Row;
    expect(Object.keys(answer).filter((key) => !(key in accountFields))).toEqual([]);
    expect(Object.keys((answer['user'] as Row[])[0]!).filter((key) => !(key in userFields))).toEqual([]);
    expect(await databaseTexts(gateway.db)).not.toContain(PERSON.password);
  });

  test.each<[string, Row, number]>([
    ['a type or a role', { accounttype: undefined }, 431],
    ['a type that there is', { accounttype: 7 }, 431],
    ['root admins in ROOT only', { accounttype: 1 }, 431],
    ['a name that is not blank', { username: ' ' }, 431],
    ['a password that is not blank', { password: ' ' }, 431],
    ['a domain that is there', { domainid: crypto.randomUUID() }, 431],
  ])('need %s', async (_what, changes, errorcode) => {
    const domainid = await newDomain();
    const call = { ...PERSON, username: unique('u'), accounttype: 0, domainid, ...changes };
    const given = Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined));
    await expect(admin.call('createAccount', given as Record<string, string>)).rejects.toMatchObject({ errorcode });
  });

  test('have names, and users too, that are unique in a domain whatever their case', async () => {
    const [one, two] = [await newDomain(), await newDomain()];
    const call = { ...PERSON, username: 'twin', accounttype: 0 };
    await admin.call('createAccount', { ...call, domainid: one });
    await admin.call('createAccount', { ...call, domainid: two });
    await expect(
      admin.call('createAccount', { ...call, account: 'x', username: 'TWIN', domainid: one }),
    ).rejects.toThrow(/The user TWIN already exists/);
    await expect(
      admin.call('createAccount', { ...call, username: 'y', account: 'Twin', domainid: one }),
    ).rejects.toThrow(/The specified account: Twin already exists/);
  });

  test('that are locked or disabled can call nothing and have no sessions, until they are enabled', async () => {
    const { accountId, userId, client } = await newMember(rootId);
    await openSession(gateway.db, userId, 30);
    await admin.call('lockAccount', { id: accountId });
    await expect(client.call('listAccounts')).rejects.toMatchObject({ errorcode: 401 });
    expect(await gateway.db.select().from(session).where(eq(session.userId, userId))).toEqual([]);
    expect((await admin.call('enableAccount', { id: accountId }))['account']).toMatchObject({ state: 'enabled' });
    await client.call('listAccounts');
    const locking = await admin.call('disableAccount', { id: accountId, lock: true });
    expect(await admin.call('queryAsyncJobResult', { jobid: locking['jobid'] as string })).toMatchObject({
      jobstatus: 1,
      jobresult: { account: { id: accountId, state: 'locked' } },
    });
    const customjobid = crypto.randomUUID();
    const disable = () => admin.call('disableAccount', { id: accountId, lock: false, customjobid });
    const { jobid } = await disable();
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'disableAccount',
      workflowId: `account-state-${accountId}`,
      workflowInput: { accountId, jobId: jobid },
    });
    expect(await disable()).toEqual({ jobid });
    const [row] = await gateway.db.select().from(account).where(eq(account.id, accountId));
    expect(row).toMatchObject({ state: 'disabled' });
    await expect(client.call('listAccounts')).rejects.toMatchObject({ errorcode: 401 });
  });

  test('keep the default account as it is', async () => {
    const [row] = await gateway.db.select().from(account).where(eq(account.isDefault, true));
    const { client } = await newMember(rootId, 1);
    for (const [command, more] of [
      ['deleteAccount', {}],
      ['disableAccount', { lock: true }],
      ['lockAccount', {}],
    ] as const) {
      await expect(client.call(command, { id: row!.id, ...more })).rejects.toMatchObject({ errorcode: 431 });
    }
    const [only] = await gateway.db.select().from(user).where(eq(user.accountId, row!.id));
    await expect(client.call('deleteUser', { id: only!.id })).rejects.toThrow(/the only one of the default account/);
  });

  test('are deleted by a job, can call nothing from that moment, and leave their name', async () => {
    const domainid = await newDomain();
    const { accountId, client } = await newMember(domainid);
    const [before] = await gateway.db.select().from(account).where(eq(account.id, accountId));
    const customjobid = crypto.randomUUID();
    const { jobid } = await admin.call('deleteAccount', { id: accountId, customjobid });
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'deleteAccount',
      workflowId: `account-${accountId}`,
      workflowInput: { accountId, jobId: jobid },
    });
    await expect(client.call('listAccounts')).rejects.toMatchObject({ errorcode: 401 });
    expect(await admin.call('deleteAccount', { id: accountId, customjobid })).toEqual({ jobid });
    await expect(admin.call('deleteAccount', { id: accountId })).rejects.toMatchObject({ errorcode: 431 });
    expect(await listed(admin, 'listAccounts', 'account', { id: accountId })).toEqual([]);
    expect(await listed(admin, 'listAccounts', 'account', { id: accountId, iscleanuprequired: 'true' })).toEqual([
      accountId,
    ]);
    const call = { ...PERSON, username: before!.accountName, accounttype: 0, domainid };
    await admin.call('createAccount', call);
  });
});

describe('users', () => {
  test('are added to an account, found by key, renamed and deleted', async () => {
    const { accountId } = await newMember(rootId);
    const [row] = await gateway.db.select().from(account).where(eq(account.id, accountId));
    const { user: added } = await admin.call('createUser', {
      ...PERSON,
      username: unique('second'),
      account: row!.accountName,
      domainid: rootId,
    });
    const id = (added as Row)['id'] as string;
    expect(added).toMatchObject({ accountid: accountId, state: 'enabled', accounttype: 0 });
    const { userkeys } = await admin.call('registerUserKeys', { id });
    const keys = userkeys as { apikey: string; secretkey: string };
    expect(await admin.call('getUserKeys', { id })).toEqual({ userkeys });
    expect((await admin.call('getUser', { userapikey: keys.apikey }))['user']).toMatchObject({ id });
    const name = unique('renamed');
    expect((await admin.call('updateUser', { id, username: name, email: 'b@example.org' }))['user']).toMatchObject({
      username: name,
      email: 'b@example.org',
    });
    expect(await admin.call('deleteUser', { id })).toEqual({ success: true });
    expect(await listed(admin, 'listUsers', 'user', { id })).toEqual([]);
    const client = createCloudStackClient({
      endpoint: gateway.endpoint,
      apiKey: keys.apikey,
      secretKey: keys.secretkey,
    });
    await expect(client.call('listUsers')).rejects.toMatchObject({ errorcode: 401 });
  });

  test('have new keys at once, and the old ones are good for nothing; both secrets are encrypted', async () => {
    const { userId, client } = await newMember(rootId);
    const { userkeys } = await client.call('registerUserKeys', { id: userId });
    await expect(client.call('listUsers')).rejects.toMatchObject({ errorcode: 401 });
    const { apikey, secretkey } = userkeys as Record<string, string>;
    const renewed = createCloudStackClient({ endpoint: gateway.endpoint, apiKey: apikey!, secretKey: secretkey! });
    expect(await listed(renewed, 'listUsers', 'user')).toEqual([userId]);
    expect(await databaseTexts(gateway.db)).not.toContain(secretkey);
  });

  test('that are disabled or locked cannot call', async () => {
    const { userId, client } = await newMember(rootId);
    await admin.call('disableUser', { id: userId });
    await expect(client.call('listUsers')).rejects.toMatchObject({ errorcode: 401 });
    await admin.call('enableUser', { id: userId });
    await client.call('listUsers');
    await admin.call('lockUser', { id: userId });
    await expect(client.call('listUsers')).rejects.toMatchObject({ errorcode: 401 });
  });

  test('change their own password with the old one, and lose their sessions by that', async () => {
    const { userId, client } = await newMember(rootId);
    await openSession(gateway.db, userId, 30);
    const call = { id: userId, password: 'new one' };
    await expect(client.call('updateUser', call)).rejects.toThrow(/the current password must be provided/);
    await expect(client.call('updateUser', { ...call, currentpassword: 'wrong' })).rejects.toThrow(/is incorrect/);
    expect(await gateway.db.select().from(session).where(eq(session.userId, userId))).toHaveLength(1);
    await client.call('updateUser', { ...call, currentpassword: PERSON.password });
    expect(await gateway.db.select().from(session).where(eq(session.userId, userId))).toEqual([]);
    await expect(client.call('updateUser', { id: userId, username: 'x' })).rejects.toMatchObject({ errorcode: 531 });
  });
});

describe('domains', () => {
  test('are a tree with paths, that change with the names', async () => {
    const top = await newDomain();
    const middle = await newDomain(top);
    const leaf = await newDomain(middle);
    const { domain: renamed } = await admin.call('updateDomain', { id: top, name: 'renamed' });
    expect(renamed).toMatchObject({ name: 'renamed', path: 'ROOT/renamed', level: 1, haschild: true, state: 'Active' });
    expect(Object.keys(renamed as Row).filter((key) => !(key in domainFields))).toEqual([]);
    const { domain: rows } = await admin.call('listDomains', { id: leaf });
    expect(rows).toMatchObject([
      {
        path: expect.stringMatching(/^ROOT\/renamed\/d\d+\/d\d+$/) as string,
        level: 3,
        parentdomainid: middle,
        haschild: false,
      },
    ]);
    expect(await listed(admin, 'listDomainChildren', 'domain', { id: top })).toEqual([middle]);
    expect(await listed(admin, 'listDomainChildren', 'domain', { id: top, isrecursive: 'true' })).toEqual(
      [middle, leaf].toSorted(),
    );
  });

  test.each(['a/b', ' ', '/'])('refuse the name %j', async (name) => {
    await expect(admin.call('createDomain', { name })).rejects.toMatchObject({ errorcode: 431 });
  });

  test('have names that are unique below a domain', async () => {
    const id = await newDomain();
    await admin.call('createDomain', { name: 'same', parentdomainid: id });
    await expect(admin.call('createDomain', { name: 'SAME', parentdomainid: id })).rejects.toThrow(/already exists/);
  });

  test('are deleted when they are empty, or with all that is in them', async () => {
    const top = await newDomain();
    const leaf = await newDomain(top);
    const { client } = await newMember(leaf);
    await expect(admin.call('deleteDomain', { id: top })).rejects.toThrow(/1 accounts and 1 domains below/);
    await client.call('listUsers');
    const { jobid } = await admin.call('deleteDomain', { id: top, cleanup: true });
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'deleteDomain',
      workflowId: `domain-${top}`,
    });
    await expect(client.call('listUsers')).rejects.toMatchObject({ errorcode: 401 });
    const call = { ...PERSON, username: unique('u'), accounttype: 0, domainid: leaf };
    await expect(admin.call('createAccount', call)).rejects.toThrow(/is being deleted/);
    await expect(admin.call('deleteDomain', { id: rootId, cleanup: true })).rejects.toMatchObject({ errorcode: 431 });
  });
});

describe('a domain admin', () => {
  let top: string;
  let below: string;
  let beside: string;
  let boss: Member;
  let inside: Member;
  let outside: Member;

  beforeAll(async () => {
    top = await newDomain();
    below = await newDomain(top);
    beside = await newDomain();
    boss = await newMember(top, 2);
    inside = await newMember(below);
    outside = await newMember(beside);
  });

  test('sees what is in the domain and below, with listall, and nothing else', async () => {
    const accounts = (more: Row) => listed(boss.client, 'listAccounts', 'account', more);
    expect(await accounts({})).toEqual([boss.accountId]);
    expect(await accounts({ listall: 'true' })).toEqual([boss.accountId, inside.accountId].toSorted());
    expect(await accounts({ domainid: top })).toEqual([boss.accountId]);
    expect(await accounts({ domainid: top, isrecursive: 'true' })).toHaveLength(2);
    expect(await accounts({ id: outside.accountId })).toEqual([]);
    await expect(accounts({ domainid: beside })).rejects.toMatchObject({ errorcode: 531 });
    await expect(accounts({ domainid: rootId, isrecursive: 'true' })).rejects.toMatchObject({ errorcode: 531 });
    expect(await listed(boss.client, 'listDomains', 'domain', { listall: 'true' })).toEqual([top, below].toSorted());
    await expect(boss.client.call('listUsers', { account: 'admin', domainid: rootId })).rejects.toMatchObject({
      errorcode: 531,
    });
  });

  test('administers accounts there, and gives nobody more rights than their own', async () => {
    await boss.client.call('updateUser', { id: inside.userId, firstname: 'Changed' });
    await boss.client.call('getUserKeys', { id: inside.userId });
    const call = { ...PERSON, username: unique('u'), domainid: below };
    await boss.client.call('createAccount', { ...call, accounttype: 0 });
    await expect(boss.client.call('createAccount', { ...call, accounttype: 1 })).rejects.toMatchObject({
      errorcode: 531,
    });
    const higher = { ...call, username: unique('u'), accounttype: 0, domainid: beside };
    await expect(boss.client.call('createAccount', higher)).rejects.toMatchObject({ errorcode: 531 });
    await expect(boss.client.call('updateDomain', { id: top, name: 'mine' })).rejects.toMatchObject({ errorcode: 531 });
    await boss.client.call('updateDomain', { id: below, name: unique('theirs') });
  });

  test('of the root domain takes over no root admin', async () => {
    const { client } = await newMember(rootId, 2);
    const [row] = await gateway.db.select().from(user).where(eq(user.username, 'admin'));
    for (const command of ['getUserKeys', 'registerUserKeys', 'deleteUser', 'lockUser']) {
      await expect(client.call(command, { id: row!.id })).rejects.toMatchObject({ errorcode: 431 });
    }
    await expect(client.call('updateUser', { id: row!.id, password: 'taken' })).rejects.toMatchObject({
      errorcode: 431,
    });
    await expect(client.call('lockAccount', { id: row!.accountId })).rejects.toMatchObject({ errorcode: 531 });
  });
});

test('roles are the three that there are', async () => {
  const { role } = await admin.call('listRoles');
  expect((role as Row[]).map(({ name, type }) => [name, type])).toEqual([
    ['Root Admin', 'Admin'],
    ['Domain Admin', 'DomainAdmin'],
    ['User', 'User'],
  ]);
  const [first] = role as Row[];
  expect(await listed(admin, 'listRoles', 'role', { id: first!['id'] })).toEqual([first!['id']]);
  const { client } = await newMember(rootId);
  await expect(client.call('listRoles')).rejects.toMatchObject({ errorcode: 432 });
});

describe('what is made for an account that is deleted meanwhile', () => {
  const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';
  let parameters: Record<string, Record<string, string | boolean>>;

  beforeAll(async () => {
    const owner = await gateway.addUser('owner');
    const templateid = await addTemplate(gateway, owner, { isPublic: true });
    const { serviceoffering } = await admin.call('listServiceOfferings', { name: 'Small Instance' });
    const { ostype } = await admin.call('listOsTypes');
    const zoneid = gateway.seeded.zoneId;
    const ostypeid = (ostype as Row[])[0]!['id'] as string;
    const url = 'http://images.example/x';
    parameters = {
      deployVirtualMachine: {
        zoneid,
        templateid,
        serviceofferingid: (serviceoffering as Row[])[0]!['id'] as string,
        startvm: false,
      },
      registerIso: { zoneid, name: 'x', url, ostypeid, directdownload: true },
      registerSSHKeyPair: { name: 'x', publickey: PUBLIC_KEY },
    };
  });

  const owned = async (accountId: string): Promise<number> => {
    const counts = [vmInstance, vmTemplate, sshKeypairs].map((table) =>
      gateway.db.$count(table, eq(table.accountId, accountId)),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count);
  };
  const isWaiting = async (): Promise<boolean> => {
    const [row] = await gateway.db.execute<{ count: number }>(
      sql`select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return row!.count > 0;
  };

  test.each([
    ['deployVirtualMachine', 'User'],
    ['deployVirtualMachine', 'Admin'],
    ['registerIso', 'User'],
    ['registerIso', 'Admin'],
    ['registerSSHKeyPair', 'User'],
  ] as const)('is nothing: %s of a %s', async (command, role) => {
    const { accountId, client } = await gateway.addUser(unique('leaving'), role);
    let call: Promise<unknown> | undefined;
    await gateway.db.transaction(async (tx) => {
      await tx.update(account).set({ removed: new Date().toISOString() }).where(eq(account.id, accountId));
      // Let in: nobody sees yet that the account is gone.
      call = client.call(command, parameters[command]).catch((error: unknown) => error);
      await waitFor('the call waits for the account', isWaiting, 10_000);
    });
    expect(await call).toMatchObject({ errorcode: 431, errortext: `Unable to find account by id ${accountId}` });
    expect(await owned(accountId)).toBe(0);
  });

  it.each(['deployVirtualMachine', 'startVirtualMachine'])(
    'starts nothing once it is disabled: %s',
    async (command) => {
      const { accountId, client } = await newMember(rootId);
      const { id } = await client.call('deployVirtualMachine', parameters['deployVirtualMachine']);
      const call = command === 'startVirtualMachine' ? { id: id as string } : parameters[command];
      const caller = (await findDefaultAdmin(gateway.db))!;
      const started = gateway.started.length;
      const called = await gateway.db.transaction(async (tx) => {
        await setAccountState(tx, caller, accountId, 'disabled');
        // Let in: nobody sees yet that the account is disabled.
        const answer = client.call(command, call).catch((error: unknown) => error);
        await waitFor('the call waits for the account', isWaiting, 10_000);
        return { answer };
      });
      expect(await called.answer).toMatchObject({
        errorcode: 531,
        errortext: expect.stringContaining('is disabled') as string,
      });
      // Nor by who may call still.
      await expect(admin.call('startVirtualMachine', { id: id as string })).rejects.toMatchObject({ errorcode: 531 });
      expect(gateway.started).toHaveLength(started);
    },
  );

  it.each(['deleteUser', 'disableUser'])('waits for no %s that waits for it', async (command) => {
    const { accountId, userId } = await newMember(rootId);
    let call: Promise<unknown> | undefined;
    await gateway.db.transaction(async (tx) => {
      await tx.select().from(account).where(eq(account.id, accountId)).for('no key update');
      call = admin.call(command, { id: userId }).catch((error: unknown) => error);
      await waitFor('the call waits for the account', isWaiting, 10_000);
      await tx.update(user).set({ state: 'locked' }).where(eq(user.accountId, accountId));
    });
    expect(await call).not.toHaveProperty('errorcode');
  });

  it('waits for no disableAccount that waits for it and has its job', async () => {
    const { accountId, userId } = await newMember(rootId);
    let call: Promise<unknown> | undefined;
    await gateway.db.transaction(async (tx) => {
      await tx.select().from(account).where(eq(account.id, accountId)).for('no key update');
      call = admin.call('disableAccount', { id: accountId, lock: true }).catch((error: unknown) => error);
      await waitFor('the call waits for the account', isWaiting, 10_000);
      await createJob(tx, {
        accountId,
        userId,
        jobCmd: 'deleteAccount',
        workflowType: 'deleteAccount',
        workflowId: accountWorkflowId(accountId),
        workflowInput: {},
        instanceType: 'Account',
        instanceId: accountId,
      });
    });
    expect(await call).toEqual({ jobid: expect.any(String) as string });
  });
});

describe('what is deleted between a change of it and the answer', () => {
  beforeAll(async () => {
    await gateway.db.execute(sql`create function is_doomed() returns trigger language plpgsql as $$
      begin NEW.removed = now(); return NEW; end $$`);
    for (const [table, name] of [
      ['account', 'account_name'],
      ['user', 'username'],
      ['domain', 'name'],
    ] as const) {
      await gateway.db
        .execute(sql`create trigger is_doomed before insert or update on ${sql.identifier(table)} for each row
        when (NEW.${sql.identifier(name)} like 'doomed%') execute function is_doomed()`);
    }
  });
  afterAll(() => gateway.db.execute(sql`drop function is_doomed cascade`));

  it.each<[string, (of: Member) => Record<string, string>]>([
    ['updateAccount', ({ accountId }) => ({ id: accountId, newname: unique('doomed') })],
    ['updateUser', ({ userId }) => ({ id: userId, username: unique('doomed') })],
    ['createUser', () => ({ ...PERSON, username: unique('doomed'), account: 'admin', domainid: rootId })],
    ['createDomain', () => ({ name: unique('doomed') })],
  ])('is not there, which is no defect: %s', async (command, parametersOf) => {
    await expect(admin.call(command, parametersOf(await newMember(rootId)))).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('entity does not exist') as string,
    });
  });
});
