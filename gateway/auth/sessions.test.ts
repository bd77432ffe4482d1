import { scryptSync } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { eq, isNotNull, isNull, sql } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import { hashPassword } from '../../db/password.js';
import { account, event, loginAttempt, session, user } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { openSession } from '../../db/sessions.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { databaseTexts } from '../../tests/support/written-texts.js';
import { createGateway } from '../server.js';
import { cookiesOf } from './cookies.js';

const PASSWORD = 'correct horse';

/** A password is hashed slowly on purpose, and the machine may have other work. */
jest.setTimeout(30_000);

let gateway: TestGateway;
let userId: string;
let accountId: string;

beforeAll(async () => {
  gateway = await startTestGateway({ trustedProxies: ['127.0.0.1'] });
  ({ accountId } = await gateway.addUser('ada'));
  const [row] = await gateway.db
    .update(user)
    .set({ password: await hashPassword(PASSWORD) })
    .where(eq(user.accountId, accountId))
    .returning();
  userId = row!.id;
});
afterEach(async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '5' });
  await gateway.db.delete(loginAttempt);
  await gateway.db.delete(session);
});
afterAll(() => gateway.stop());

interface Answer {
  status: number;
  body: Record<string, unknown>;
  cookies: string[];
}

async function call(
  parameters: Record<string, string>,
  {
    method = 'POST',
    cookie,
    headers = {},
  }: { method?: string; cookie?: string; headers?: Record<string, string> } = {},
  endpoint = gateway.endpoint,
): Promise<Answer> {
  const text = String(new URLSearchParams({ response: 'json', ...parameters }));
  const isForm = method === 'POST';
  const response = await fetch(isForm ? endpoint : `${endpoint}?${text}`, {
    method,
    body: isForm ? text : undefined,
    headers: {
      ...(isForm ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...(cookie === undefined ? {} : { cookie }),
      ...headers,
    },
  });
  const document = (await response.json()) as Record<string, Record<string, unknown>>;
  return { status: response.status, body: Object.values(document)[0]!, cookies: response.headers.getSetCookie() };
}

const logIn = (more: Record<string, string> = {}, options?: Parameters<typeof call>[1]) =>
  call({ command: 'login', username: 'ada', password: PASSWORD, ...more }, options);

/** As a browser sends them back. */
const sent = (cookies: string[]): string => cookies.map((cookie) => cookie.split(';')[0]).join('; ');

async function opened(): Promise<{ cookie: string; sessionkey: string }> {
  const { token, sessionKey } = await openSession(gateway.db, userId, 30);
  return { cookie: sent(cookiesOf({ token, sessionKey }, false)), sessionkey: sessionKey };
}

const listUsers = (sessionkey: string, cookie?: string) => call({ command: 'listUsers', sessionkey }, { cookie });

test('a login answers as CloudStack does, with cookies that no script and no other site can use', async () => {
  const { status, body, cookies } = await logIn();
  expect(status).toBe(200);
  expect(body).toEqual({
    username: 'ada',
    userid: userId,
    account: 'ada',
    domainid: expect.any(String) as string,
    timeout: 1800,
    firstname: '',
    lastname: '',
    type: '0',
    registered: 'false',
    sessionkey: expect.stringMatching(/^[\w-]{43}$/) as string,
    is2faenabled: 'false',
    is2faverified: 'true',
  });
  expect(cookies).toEqual([
    expect.stringMatching(/^JSESSIONID=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
    `sessionkey=${body['sessionkey'] as string}; Path=/; HttpOnly; SameSite=Lax`,
  ]);
  const [noted] = await gateway.db.select().from(event).where(eq(event.type, 'USER.LOGIN'));
  expect(noted).toMatchObject({ accountId, userId });
});

test('a session calls with cookie and key, and with neither alone', async () => {
  const { cookie, sessionkey } = await opened();
  const { cookie: another } = await opened();
  expect(await listUsers(sessionkey, cookie)).toMatchObject({ status: 200, body: { user: [{ id: userId }] } });
  for (const answer of [
    await listUsers(sessionkey),
    await listUsers('', cookie),
    await listUsers(`${sessionkey}x`, cookie),
    await listUsers(sessionkey, another),
    await listUsers(sessionkey, `${cookie}; JSESSIONID=x`),
  ]) {
    expect(answer).toMatchObject({ status: 401, body: { errorcode: 401 } });
  }
});

test('neither secrets nor passwords are in the database or the log', async () => {
  const { body, cookies } = await logIn();
  const [cookie, sessionkey] = [sent(cookies), body['sessionkey'] as string];
  expect((await listUsers(sessionkey, cookie)).status).toBe(200);
  await logIn({ username: 'hunter2', password: 'hunter3' });
  const token = /JSESSIONID=([^;]+)/.exec(cookie)![1]!;
  const texts = (await databaseTexts(gateway.db)) + gateway.log();
  for (const secret of [token, sessionkey, PASSWORD, 'hunter2', 'hunter3']) expect(texts).not.toContain(secret);
});

test('a logout ends the session, and only with its key', async () => {
  const { cookie, sessionkey } = await opened();
  expect(await call({ command: 'logout' }, { cookie })).toMatchObject({ status: 401, cookies: [] });
  const { body, cookies } = await call({ command: 'logout', sessionkey }, { cookie });
  expect(body).toEqual({ description: 'success' });
  expect(cookies).toEqual([
    expect.stringMatching(/^JSESSIONID=; Max-Age=0/),
    expect.stringMatching(/^sessionkey=; Max/),
  ]);
  expect(await listUsers(sessionkey, cookie)).toMatchObject({ status: 401 });
});

test('a session ends when nobody has used it for its time, and lasts while it is used', async () => {
  const { cookie, sessionkey } = await opened();
  const ends = async () => Date.parse((await gateway.db.select().from(session))[0]!.expires);
  const first = await ends();
  await listUsers(sessionkey, cookie);
  expect(await ends()).toBe(first);
  await gateway.db.update(session).set({ expires: new Date(Date.now() + 60_000).toISOString() });
  await listUsers(sessionkey, cookie);
  expect(await ends()).toBeGreaterThanOrEqual(first);
  await gateway.db.update(session).set({ expires: new Date(Date.now() - 1).toISOString() });
  expect(await listUsers(sessionkey, cookie)).toMatchObject({ status: 401 });
});

test('a session that nobody uses ends in the time of a timeout that was lowered, and no later for one that was raised', async () => {
  const name = 'session.timeout';
  const minutesLeft = async () =>
    (Date.parse((await gateway.db.select().from(session))[0]!.expires) - Date.now()) / 60_000;
  const { sessionkey, cookie } = await opened();
  await gateway.admin.call('updateConfiguration', { name, value: '60' });
  expect(await minutesLeft()).toBeLessThan(30.1);
  await gateway.admin.call('updateConfiguration', { name, value: '5' });
  expect(await minutesLeft()).toBeLessThan(5.1);
  await gateway.admin.call('updateConfiguration', { name, value: '100' });
  expect(await minutesLeft()).toBeLessThan(5.1);
  await gateway.db.update(session).set({ expires: sql`now() + interval '100 min'` });
  await gateway.admin.call('resetConfiguration', { name });
  expect(await minutesLeft()).toBeLessThan(30.1);
  expect(await minutesLeft()).toBeGreaterThan(29);
  // By a call that had read the timeout before.
  await gateway.db.update(session).set({ expires: sql`now() + interval '100 min'` });
  await listUsers(sessionkey, cookie);
  expect(await minutesLeft()).toBeLessThan(30.1);
});

test.each<[string, Partial<typeof account.$inferInsert>]>([
  ['is locked', { state: 'locked' }],
  ['is deleted', { removed: new Date().toISOString() }],
])('a session is good for nothing when its account %s', async (_what, changes) => {
  const { cookie, sessionkey } = await opened();
  await gateway.db.update(account).set(changes).where(eq(account.id, accountId));
  const answers = [await listUsers(sessionkey, cookie), await logIn()];
  await gateway.db.update(account).set({ state: 'enabled', removed: null }).where(eq(account.id, accountId));
  expect(answers.map(({ status }) => status)).toEqual([401, 531]);
});

test.each([
  ['a wrong password', { password: 'wrong' }],
  ['an unknown user', { username: 'nobody' }],
  ['an unknown domain', { domain: 'ROOT/nowhere' }],
  ['a domain id that is none', { domainid: '00000000-0000-0000-0000-000000000000' }],
  ['a password of a megabyte', { password: 'x'.repeat(256) }],
])('%s opens no session', async (_what, more) => {
  expect(await logIn(more)).toMatchObject({ status: 531, cookies: [], body: { errorcode: 531, cserrorcode: 4290 } });
});

test.each(['/', 'ROOT', 'root/', ''])('the root domain may be called %j', async (name) => {
  expect((await logIn({ domain: name })).status).toBe(200);
});

test('a user logs in to a domain below, by path or id, and not elsewhere', async () => {
  const { domain: made } = await gateway.admin.call('createDomain', { name: 'Sales' });
  const domainid = (made as Record<string, string>)['id']!;
  const person = { email: 'e', firstname: 'f', lastname: 'l', password: 'another horse' };
  await gateway.admin.call('createAccount', { ...person, username: 'ada', accounttype: 0, domainid });
  const there = { password: person.password };
  const places: Record<string, string>[] = [{ domain: 'ROOT/sales' }, { domain: '/Sales' }, { domainid }];
  for (const place of places) {
    expect(await logIn({ ...there, ...place })).toMatchObject({ status: 200, body: { domainid } });
  }
  expect((await logIn(there)).status).toBe(531);
});

test.each([
  ['gets another password', { password: 'none' }],
  ['is disabled', { state: 'disabled' as const }],
])('no session is opened for a user who %s meanwhile, and the change stays', async (_what, change) => {
  // As it was hashed once: it would be hashed anew.
  const hash = scryptSync(PASSWORD, Buffer.from('0123456789abcdef'), 32, { N: 1024, r: 8, p: 1 }).toString('base64');
  const isAda = eq(user.id, userId);
  await gateway.db
    .update(user)
    .set({ password: `scrypt$1024$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$${hash}` })
    .where(isAda);
  const { outcome } = await gateway.db.transaction(async (tx) => {
    await tx.update(user).set(change).where(isAda);
    const login = logIn();
    await waitFor('the login waits for the user', async () => {
      const [row] = await gateway.db.execute<{ isWaiting: boolean }>(sql`select exists (
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      ) as "isWaiting"`);
      return row!.isWaiting;
    });
    return { outcome: login };
  });
  const { status } = await outcome;
  expect([status, await gateway.db.$count(session)]).toEqual([531, 0]);
  expect((await gateway.db.select().from(user).where(isAda))[0]).toMatchObject(change);
  await gateway.db
    .update(user)
    .set({ password: await hashPassword(PASSWORD), state: 'enabled' })
    .where(isAda);
});

test('a login by GET is refused: it would stand in logs', async () => {
  expect(await logIn({}, { method: 'GET' })).toMatchObject({ status: 405, cookies: [] });
});

test('too many failures of a user are refused unread, for every password, and for others not', async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '2' });
  const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((password) => logIn({ password })));
  expect(outcomes.filter(({ status }) => status === 531)).toHaveLength(2);
  expect(outcomes.filter(({ status }) => status === 429)).toHaveLength(2);
  expect((await logIn()).status).toBe(429);
  expect((await logIn({ username: 'nobody' })).status).toBe(531);
  await gateway.db.update(loginAttempt).set({ since: new Date(Date.now() - 16 * 60_000).toISOString() });
  expect((await logIn()).status).toBe(200);
  expect((await logIn({ password: 'a' })).status).toBe(531);
});

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

test('nobody is shut out by who fails in their name from elsewhere', async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '1' });
  for (let tries = 0; tries < 3; tries++) await logIn({ password: 'guess' }, from('198.51.100.1'));
  expect((await logIn({}, from('198.51.100.1'))).status).toBe(429);
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(200);
});

test('a password is not guessed from any number of addresses, and whoever was let in before is still', async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '1' });
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(200);
  const guesses = Array.from({ length: 22 }, (_, number) => logIn({ password: 'guess' }, from(`198.51.100.${number}`)));
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 531)).toHaveLength(20);
  expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  // Somewhere new even the right password is not looked at.
  expect((await logIn({}, from('203.0.113.1'))).status).toBe(429);
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(200);
  const longAgo = new Date(Date.now() - 91 * 86_400_000).toISOString();
  await gateway.db.update(loginAttempt).set({ succeeded: longAgo }).where(isNotNull(loginAttempt.succeeded));
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(429);
});

test('a user is counted as one, however name and domain are written', async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '1' });
  const { domain: made } = await gateway.admin.call('createDomain', { name: 'Hills' });
  const domainid = (made as Record<string, string>)['id']!;
  const person = { email: 'e', firstname: 'f', lastname: 'l', password: 'another horse' };
  await gateway.admin.call('createAccount', { ...person, username: 'Philip', accounttype: 0, domainid });
  // PostgreSQL takes a capital I with a dot for an i, and JavaScript for an i with a dot more.
  const places: Record<string, string>[] = [{ domain: 'ROOT/hills' }, { domain: '/Hills/' }, { domainid }];
  for (const [username, address] of [
    ['philip', '198.51.100.1'],
    ['nobodi', '198.51.100.2'],
  ] as const) {
    const names = [username, username.toUpperCase(), username.replaceAll('i', 'İ')];
    const tries = names.flatMap((name) => places.map((place) => ({ ...place, username: name, password: 'guess' })));
    const statuses = [];
    for (const tried of tries) statuses.push((await logIn(tried, from(address))).status);
    expect(statuses.map((status) => status === 531)).toEqual([true, ...tries.slice(1).map(() => false)]);
  }
});

test('too many failures of an address are refused, whoever it tries; success does not count', async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '2' });
  for (let tries = 0; tries < 3; tries++) expect((await logIn()).status).toBe(200);
  expect((await logIn({ username: 'first' })).status).toBe(531);
  const counts = (await gateway.db.select().from(loginAttempt)).map(({ attempts }) => attempts);
  // Of the one who failed: from the address, at all, and from there. Of the one who did not: from there, and at all.
  expect(counts.sort((a, b) => a - b)).toEqual([0, 0, 1, 1, 1]);
  await gateway.db.update(loginAttempt).set({ attempts: 20 });
  expect((await logIn({ username: 'second' })).status).toBe(429);
});

test('whoever was let in from an address before is still, whatever strangers fail there, and keeps a limit of their own', async () => {
  await writeSettings(gateway.db, { 'incorrect.login.attempts.allowed': '1' });
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(200);
  expect((await logIn({ username: 'stranger' }, from('192.0.2.1'))).status).toBe(531);
  await gateway.db.update(loginAttempt).set({ attempts: 10 }).where(isNull(loginAttempt.succeeded));
  expect((await logIn({ username: 'another' }, from('192.0.2.1'))).status).toBe(429);
  const rows = await gateway.db.$count(loginAttempt);
  expect((await logIn({ username: 'yet another' }, from('192.0.2.1'))).status).toBe(429);
  // Names cost nothing where no password is looked at: they are not to fill the table.
  expect(await gateway.db.$count(loginAttempt)).toBe(rows);
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(200);
  // As of anybody else: it is not for strangers to learn who was let in from their address.
  const failed = await logIn({ password: 'guess' }, from('192.0.2.1'));
  expect(failed).toEqual(await logIn({ username: 'another', password: 'guess' }, from('192.0.2.1')));
  expect((await logIn({}, from('192.0.2.1'))).status).toBe(429);
});

test('a password that was hashed at another cost is hashed anew', async () => {
  const cheap = 'scrypt$1024$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$';
  const hash = scryptSync(PASSWORD, Buffer.from('0123456789abcdef'), 32, { N: 1024, r: 8, p: 1 }).toString('base64');
  await gateway.db
    .update(user)
    .set({ password: `${cheap}${hash}` })
    .where(eq(user.id, userId));
  expect((await logIn({ password: 'wrong' })).status).toBe(531);
  expect((await logIn()).status).toBe(200);
  const [row] = await gateway.db.select().from(user).where(eq(user.id, userId));
  expect(row!.password).toMatch(/^scrypt\$32768\$8\$3\$/);
  expect((await logIn()).status).toBe(200);
});

describe('the port that asks nobody who they are', () => {
  let open: FastifyInstance;
  let endpoint: string;

  beforeAll(async () => {
    const { db, secretBox } = gateway;
    const never = () => Promise.reject(new Error('not here'));
    open = createGateway(
      { db, secretBox, startJob: never, cancelJob: never, executeWorkflow: never, provisionCertificates: never },
      { isOpen: true },
    );
    endpoint = `${await open.listen({ host: '127.0.0.1', port: 0 })}/client/api`;
  });
  afterAll(() => open.close());

  test('takes its callers for root admins', async () => {
    const { status, body } = await call({ command: 'listConfigurations' }, { method: 'GET' }, endpoint);
    expect([status, (body['count'] as number) > 0]).toEqual([200, true]);
  });

  test.each<[string, Record<string, string>]>([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['whatever a browser fetches', { 'sec-fetch-site': 'cross-site' }],
  ])('refuses %s', async (_what, headers) => {
    expect((await call({ command: 'listUsers' }, { headers }, endpoint)).status).toBe(531);
  });

  test('refuses a name that leads to the loopback address', async () => {
    // fetch sets the header itself.
    const request = http.get(`${endpoint}?command=listUsers`, { headers: { host: 'rebound.example' } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(531);
  });

  test('is nowhere else: the other port still asks', async () => {
    expect((await call({ command: 'listUsers' })).status).toBe(401);
  });
});
