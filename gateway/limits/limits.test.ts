import { once } from 'node:events';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { takeCalls } from '../../db/api-counts.js';
import { apiCount } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import { type AccountThrottle, createAccountThrottle } from './account-throttle.js';
import { createRecentSettings } from './recent-settings.js';
import { canonicalStrings } from '../auth/canonical-strings.js';
import { sign } from '../auth/signature.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

describe('where calls have to be sent by POST and to expire soon', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway({ limits: { settingsAgeMs: 0 } });
    await writeSettings(gateway.db, { 'enforce.post.requests.and.timestamps': 'true' });
  });
  afterAll(() => gateway.stop());

  const inMinutes = (minutes: number) => ({
    signatureversion: '3',
    expires: new Date(Date.now() + minutes * 60_000).toISOString(),
  });

  async function statusOf(method: 'GET' | 'POST', parameters: Record<string, string>): Promise<number> {
    const { apiKey, secretKey } = gateway.seeded.admin;
    const entries = Object.entries({ ...parameters, apiKey });
    const query = new URLSearchParams([...entries, ['signature', sign(canonicalStrings(entries)[0]!, secretKey)]]);
    const call =
      method === 'GET'
        ? fetch(`${gateway.endpoint}?${query.toString()}`)
        : fetch(gateway.endpoint, { method: 'POST', body: query });
    return (await call).status;
  }

  it.each<[string, 'GET' | 'POST', () => Record<string, string>, number]>([
    ['a list by GET', 'GET', () => ({ command: 'listZones', ...inMinutes(10) }), 200],
    ['a change by POST', 'POST', () => ({ command: 'resetApiLimit', ...inMinutes(10) }), 200],
    ['a change by GET', 'GET', () => ({ command: 'resetApiLimit', ...inMinutes(10) }), 405],
    ['a call that is good for long', 'POST', () => ({ command: 'listZones', ...inMinutes(20) }), 401],
    ['a call that is good for ever', 'POST', () => ({ command: 'listZones' }), 401],
  ])('%s', async (_what, method, parameters, status) => {
    expect(await statusOf(method, parameters())).toBe(status);
  });

  it('clients of Slipway are let in', async () => {
    expect(await gateway.admin.call('listZones')).toMatchObject({ count: 1 });
  });
});

describe('the limit on calls of an account', () => {
  let gateway: TestGateway;
  let somebody: TestUser;
  let other: TestUser;

  beforeAll(async () => {
    gateway = await startTestGateway({ limits: { settingsAgeMs: 0 } });
    somebody = await gateway.addUser('somebody');
    other = await gateway.addUser('other');
  });
  afterAll(() => gateway.stop());

  const limit = (enabled: string): Promise<void> =>
    writeSettings(gateway.db, {
      'api.throttling.enabled': enabled,
      'api.throttling.interval': '86400',
      'api.throttling.max': '3',
    });

  it('is none unless it is enabled', async () => {
    for (let call = 0; call < 5; call++) await somebody.client.call('listZones');
    expect(await somebody.client.call('getApiLimit')).toMatchObject({ apilimit: { apiIssued: 0, apiAllowed: -1 } });
  });

  it('refuses what is too much with 429, from this account alone', async () => {
    await limit('true');
    await somebody.client.call('listZones');
    expect(await somebody.client.call('getApiLimit')).toEqual({
      apilimit: {
        accountid: somebody.accountId,
        apiIssued: 2,
        apiAllowed: 3,
        expireAfter: expect.any(Number) as number,
      },
    });
    await somebody.client.call('listZones');
    await expect(somebody.client.call('listZones')).rejects.toMatchObject({
      errorcode: 429,
      errortext: expect.stringContaining('api limit, please retry after ') as string,
    });
    await other.client.call('listZones');
    for (let call = 0; call < 5; call++) await gateway.admin.call('listZones');
  });

  it('begins anew when a root admin says so', async () => {
    await expect(somebody.client.call('listZones')).rejects.toMatchObject({ errorcode: 429 });
    await expect(other.client.call('resetApiLimit')).rejects.toMatchObject({ errorcode: 432 });
    await gateway.admin.call('resetApiLimit', { account: somebody.accountId });
    await somebody.client.call('listZones');
    await limit('false');
  });
});

describe('two gateways', () => {
  let gateway: TestGateway;
  const MAX = 40;

  beforeAll(async () => {
    gateway = await startTestGateway();
    await writeSettings(gateway.db, {
      'api.throttling.enabled': 'true',
      'api.throttling.interval': '86400',
      'api.throttling.max': String(MAX),
    });
  });
  afterAll(() => gateway.stop());

  /** How many of so many calls at once, by turns to each of two gateways, are let through. */
  const letThrough = async (who: Caller, throttles: AccountThrottle[], calls: number): Promise<number> => {
    const counted = Array.from({ length: calls }, (_, call) => throttles[call % 2]!.count(who));
    return (await Promise.allSettled(counted)).filter(({ status }) => status === 'fulfilled').length;
  };
  const callerOf = async (name: string): Promise<Caller> => {
    const { accountId } = await gateway.addUser(name);
    return { ...(await findDefaultAdmin(gateway.db))!, accountId, role: 'User' };
  };

  it('let an account make as many calls as one would, in few statements', async () => {
    let statements = 0;
    const db = new Proxy(gateway.db, {
      get(target, property, receiver) {
        if (property === 'execute') statements += 1;
        return Reflect.get(target, property, receiver) as unknown;
      },
    });
    const throttles = [createAccountThrottle(db), createAccountThrottle(db)];
    const somebody = await callerOf('balanced');
    expect(await letThrough(somebody, throttles, 3 * MAX)).toBe(MAX);
    const usage = { issued: MAX, allowed: MAX };
    for (const throttle of throttles) expect(await throttle.usage(somebody)).toMatchObject(usage);
    // Two calls at a time, and once more at each to learn that none is left; then nothing for a while.
    expect(statements).toBeLessThanOrEqual(MAX / 2 + 4);
    expect(await letThrough(somebody, throttles, 100)).toBe(0);
    expect(statements).toBeLessThanOrEqual(MAX / 2 + 4);
    expect(await letThrough(await callerOf('another'), throttles, 2)).toBe(2);
  });

  it('leave little of the limit unused when one is called no more', async () => {
    const throttles = [createAccountThrottle(gateway.db), createAccountThrottle(gateway.db)];
    const somebody = await callerOf('moved');
    await throttles[0]!.count(somebody);
    expect(await letThrough(somebody, [throttles[1]!, throttles[1]!], 2 * MAX)).toBe(MAX - 2);
    await throttles[0]!.reset(somebody.accountId);
    expect(await letThrough(somebody, [throttles[0]!, throttles[0]!], 2 * MAX)).toBe(MAX);
  });

  it.each([
    ['longer', 1_000, 86_400_000],
    ['shorter', 86_400_000, 1_000],
  ])(
    'begin at none when intervals get %s: their numbers have nothing to do with those before',
    async (_what, ...both) => {
      const { accountId } = await callerOf(`interval ${both[0]}`);
      const taken = [];
      for (const intervalMs of both)
        taken.push(await takeCalls(gateway.db, { accountId, wanted: 3, max: 3, intervalMs }));
      expect(taken).toMatchObject([{ granted: 3 }, { granted: 3 }]);
    },
  );

  it('shut nobody out until a clock that was set back is there again', async () => {
    const { accountId } = await callerOf('early');
    const all = { accountId, wanted: 3, max: 3, intervalMs: 86_400_000 };
    await takeCalls(gateway.db, all);
    expect(await takeCalls(gateway.db, all)).toMatchObject({ granted: 0 });
    await gateway.db.update(apiCount).set({ interval: sql`${apiCount.interval} + 1` });
    expect(await takeCalls(gateway.db, all)).toMatchObject({ granted: 3 });
  });

  it('heed a lower limit, whatever they have leave for', async () => {
    const limitTo = (max: number) => writeSettings(gateway.db, { 'api.throttling.max': String(max) });
    await limitTo(1_000_000);
    const throttle = createAccountThrottle(gateway.db, createRecentSettings(gateway.db, 0));
    const somebody = await callerOf('abuser');
    await throttle.count(somebody);
    await limitTo(MAX);
    expect(await throttle.usage(somebody)).toMatchObject({ issued: MAX, allowed: MAX });
    await expect(throttle.count(somebody)).rejects.toMatchObject({ code: 'SLIPWAY_TOO_MANY_REQUESTS' });
  });

  it('let no call through uncounted while the database is away, and go on when it is back', async () => {
    let isAway = true;
    const db = new Proxy(gateway.db, {
      get(target, property, receiver) {
        if (property === 'execute' && isAway) {
          return () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
        }
        return Reflect.get(target, property, receiver) as unknown;
      },
    });
    const throttle = createAccountThrottle(db);
    const somebody = await callerOf('patient');
    await expect(throttle.count(somebody)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    isAway = false;
    expect(await letThrough(somebody, [throttle, throttle], 2 * MAX)).toBe(MAX);
  });
});

describe('calls that are not authenticated', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway({ limits: { maxUnauthenticated: 3 }, trustedProxies: ['127.0.0.1'] });
  });
  afterAll(() => gateway.stop());

  const guess = async (address: string, { endpoint } = gateway): Promise<number> => {
    const response = await fetch(`${endpoint}?command=listZones&apikey=x&signature=y`, {
      headers: { 'x-forwarded-for': address },
    });
    return response.status;
  };

  it('are refused with 429 once there were too many, for each address that a trusted proxy names', async () => {
    const statuses = [];
    for (let call = 0; call < 5; call++) statuses.push(await guess('192.0.2.1'));
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect(await guess('192.0.2.2')).toBe(401);
    expect(gateway.log()).toContain('"address":"192.0.2.1"');
  });

  it('are those of the connection where no proxy is trusted, whatever they say that they come for', async () => {
    const untrusting = await startTestGateway({ limits: { maxUnauthenticated: 3 } });
    const statuses = [];
    for (let call = 0; call < 5; call++) statuses.push(await guess(`192.0.2.${call}`, untrusting));
    await untrusting.stop();
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
  });

  it('do not shut out who is known', async () => {
    await gateway.admin.call('listZones');
    for (let call = 0; call < 4; call++) await guess('127.0.0.1');
    expect(await guess('127.0.0.1')).toBe(429);
    await gateway.admin.call('listZones');
  });
});

describe('a slow or greedy client', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway({
      limits: { headersTimeoutMs: 200, requestTimeoutMs: 400, idleTimeoutMs: 60_000, maxCalls: 2 },
    });
  });
  afterAll(() => gateway.stop());

  const open = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(gateway.endpoint).port), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  /** Until the server closes the connection. */
  const received = async (socket: Socket): Promise<string> => {
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk as string;
    return text;
  };

  it.each([
    ['headers', 'GET /client/api?response=json HTTP/1.1\r\nhost: x\r\nx-slow: '],
    [
      'a body',
      'POST /client/api HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\na',
    ],
  ])('does not hold a connection with %s that never end', async (_what, begun) => {
    const socket = await open();
    socket.write(begun);
    expect(await received(socket)).toMatch(/^HTTP\/1\.1 430 .*<errorcode>430<.*did not arrive in time/s);
  });

  it.each([
    ['what is not HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 430 .*no HTTP request/s],
    [
      'a query that is too long, in JSON when asked for',
      `GET /client/api?response=json&a=${'x'.repeat(40_000)} HTTP/1.1\r\n`,
      /^HTTP\/1\.1 430 .*\{"errorresponse":.*by POST/s,
    ],
  ])('is told of %s, and the connection ends', async (_what, bytes, answer) => {
    const socket = await open();
    socket.write(bytes);
    expect(await received(socket)).toMatch(answer);
  });

  it('has no more than so many calls at once; health is answered all the same', async () => {
    const held: ((error: Error) => void)[] = [];
    gateway.onExecute = () => new Promise((_resolve, reject) => held.push(reject));
    const calls = [register(gateway), register(gateway)];
    await untilHeld(held, 2);
    await expect(gateway.admin.call('listZones')).rejects.toMatchObject({ errorcode: 503 });
    expect((await fetch(new URL('/readyz', gateway.endpoint))).status).toBe(200);
    for (const end of held) end(new SlipwayError('SLIPWAY_URL_VALIDATION', 'no'));
    await Promise.allSettled(calls);
    await gateway.admin.call('listZones');
  });
});

test('ends in order: a call under way is answered, kept and unused connections are closed', async () => {
  const gateway = await startTestGateway();
  const held: ((error: Error) => void)[] = [];
  gateway.onExecute = () => new Promise((_resolve, reject) => held.push(reject));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const request = httpRequest(new URL('/healthz', gateway.endpoint), { agent }).end();
  const [kept] = (await once(request, 'response')) as [IncomingMessage];
  kept.resume();
  const isClosed = once(kept.socket, 'close');
  const unused = connect(Number(new URL(gateway.endpoint).port), '127.0.0.1');
  await once(unused, 'connect');
  const call = register(gateway).catch((error: unknown) => error);
  await untilHeld(held, 1);
  const stopped = gateway.stop();
  await isClosed;
  await expect(fetch(gateway.endpoint)).rejects.toThrow('fetch failed');
  held[0]!(new SlipwayError('SLIPWAY_URL_VALIDATION', 'the answer'));
  expect(await call).toMatchObject({ errorcode: 530, errortext: 'the answer' });
  await stopped;
  agent.destroy();
});

test('is not ready while a part does not answer, and says which', async () => {
  let isAway = true;
  const temporal = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve());
  const gateway = await startTestGateway({ checks: { temporal } });
  const ready = async () => {
    const response = await fetch(new URL('/readyz', gateway.endpoint));
    return [response.status, await response.json()];
  };
  expect(await ready()).toEqual([503, { ok: false, database: true, temporal: false }]);
  isAway = false;
  expect(await ready()).toEqual([200, { ok: true, database: true, temporal: true }]);
  await gateway.stop();
});

async function register({ admin, seeded }: TestGateway): Promise<unknown> {
  const { ostype } = (await admin.call('listOsTypes')) as { ostype: { id: string }[] };
  return admin.call('registerIso', {
    name: 'x',
    url: 'http://images.example/x.iso',
    zoneid: seeded.zoneId,
    ostypeid: ostype[0]!.id,
    directdownload: true,
  });
}

async function untilHeld(held: unknown[], count: number): Promise<void> {
  while (held.length < count) await sleep(5);
}
