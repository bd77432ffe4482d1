import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { eq, sql } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { joinHost } from '../../db/join-host.js';
import { host, templateSpoolRef, user, vmInstance } from '../../db/schema/index.js';
import { openSession, type SessionSecrets } from '../../db/sessions.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { canonicalStrings } from '../auth/canonical-strings.js';
import { sign } from '../auth/signature.js';

type Keys = Pick<TestUser, 'apiKey' | 'secretKey'>;

interface StreamEvent {
  event: string;
  data: Record<string, unknown>;
}

interface Stream {
  events: StreamEvent[];
  /** What a browser would send when it comes again. */
  lastEventId: string;
  comments: number;
  ended: Promise<unknown>;
  close(): void;
  /** The first event of this kind that fits, once it is there. */
  next(event: string, fits?: (data: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;
let poolId: string;
let hostId: string;
let offeringId: string;
let templateId: string;
const opened: Stream[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({
    limits: { eventsIntervalMs: 20, heartbeatMs: 50, maxStreamsOfAccount: 6, maxUnsentBytes: 100_000 },
  });
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
  poolId = randomUUID();
  ({ hostId } = await joinHost(gateway.databaseUrl, {
    name: 'host-1',
    clusterId: gateway.seeded.clusterId,
    publicKey: 'key',
    pools: [{ poolId, type: 'Filesystem', path: '/pool' }],
  }));
  templateId = await addTemplate(gateway, somebody);
  const { serviceoffering } = (await gateway.admin.call('listServiceOfferings')) as {
    serviceoffering: { id: string }[];
  };
  offeringId = serviceoffering[0]!.id;
});
afterEach(() => {
  for (const stream of opened.splice(0)) stream.close();
});
afterAll(() => gateway.stop());

function pathOf({ apiKey, secretKey }: Keys): string {
  const entries: [string, string][] = [['apiKey', apiKey]];
  const signature = sign(canonicalStrings(entries)[0]!, secretKey);
  return `/events?${new URLSearchParams([...entries, ['signature', signature]]).toString()}`;
}

const request = (keys: Keys, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(new URL(pathOf(keys), gateway.endpoint), { headers, signal });

/** Reads as WHATWG HTML, 9.2.6, has it. */
const open = (keys: Keys, headers: Record<string, string> = {}): Promise<Stream> =>
  follow((signal) => request(keys, headers, signal));

async function follow(send: (signal: AbortSignal) => Promise<Response>): Promise<Stream> {
  const abort = new AbortController();
  const response = await send(abort.signal);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const stream: Stream = {
    events: [],
    lastEventId: '',
    comments: 0,
    ended: Promise.resolve(),
    close: () => abort.abort(),
    async next(event, fits = () => true) {
      const found = () => stream.events.find((one) => one.event === event && fits(one.data));
      await waitFor(`an event ${event}`, () => Promise.resolve(found() !== undefined), 5_000);
      return found()!.data;
    },
  };
  opened.push(stream);
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) take(block.split('\n'));
    }
  };
  const take = (lines: string[]): void => {
    const value = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    stream.lastEventId = value('id') ?? stream.lastEventId;
    if (lines[0] === ':') stream.comments += 1;
    const data = value('data');
    if (data !== undefined)
      stream.events.push({ event: value('event')!, data: JSON.parse(data) as StreamEvent['data'] });
  };
  stream.ended = read().catch(() => undefined);
  await stream.next('ready');
  return stream;
}

const deploy = (name: string, client = somebody.client) =>
  client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offeringId,
    templateid: templateId,
    name,
  }) as Promise<{ id: string; jobid: string }>;

const setState = (id: string, state: 'Stopped' | 'Error') =>
  gateway.db
    .update(vmInstance)
    .set({ state, ended: sql`now()` })
    .where(eq(vmInstance.id, id));

test('tells the owner and root admins of a VM and its job as they change, and nobody else', async () => {
  const [own, admins, others] = [await open(somebody), await open(gateway.seeded.admin), await open(other)];
  const { id, jobid } = await deploy('web-1');
  await own.next('virtualmachine', (vm) => vm['id'] === id && vm['state'] === 'Starting');
  await setState(id, 'Stopped');
  const shown = await own.next('virtualmachine', (vm) => vm['state'] === 'Stopped');
  const { virtualmachine } = (await somebody.client.call('listVirtualMachines', { id })) as {
    virtualmachine: unknown[];
  };
  expect(shown).toEqual(virtualmachine[0]);
  await completeJob(gateway.db, jobid, {
    status: 'failed',
    resultCode: 533,
    result: { errorcode: 533, errortext: 'no' },
  });
  expect(await own.next('job', (job) => job['jobstatus'] === 2)).toMatchObject({
    jobid,
    jobresult: { errorcode: 533 },
  });
  // With what only a root admin is shown.
  expect(await admins.next('virtualmachine', (vm) => vm['state'] === 'Stopped')).toHaveProperty('instancename');
  expect(shown).not.toHaveProperty('instancename');
  expect(others.events.map(({ event }) => event)).toEqual(['ready']);
});

test('tells whoever administers the root domain nothing of what root admins own', async () => {
  const boss = await gateway.addUser('boss', 'DomainAdmin');
  const stream = await open(boss);
  const hidden = await deploy('hidden', gateway.admin);
  const { id } = await deploy('shown');
  await stream.next('virtualmachine', (vm) => vm['id'] === id);
  expect(JSON.stringify(stream.events)).not.toContain(hidden.id);
  expect(await boss.client.call('listVirtualMachines', { listall: 'true', id: hidden.id })).toEqual({});
});

test('tells the owner how far the download of a template is, on which pool and how fast', async () => {
  const own = await open(somebody);
  const [row] = await gateway.db.insert(templateSpoolRef).values({ poolId, templateId, generation: 1 }).returning();
  await gateway.db
    .update(templateSpoolRef)
    .set({
      state: 'Downloading',
      downloadState: 'DOWNLOAD_IN_PROGRESS',
      downloadPct: 42,
      downloadedBytes: 430,
      bytesPerSecond: 99,
    })
    .where(eq(templateSpoolRef.id, row!.id));
  const inProgress = (data: Record<string, unknown>) => JSON.stringify(data).includes('DOWNLOAD_IN_PROGRESS');
  expect(await own.next('template', inProgress)).toMatchObject({
    id: templateId,
    downloaddetails: [
      { datastoreId: poolId, downloadPercent: '42', downloadState: 'DOWNLOAD_IN_PROGRESS', bytespersecond: '99' },
    ],
  });
});

test('tells root admins of hosts, and not of each time that one is heard of', async () => {
  const [admins, own] = [await open(gateway.seeded.admin), await open(somebody)];
  const ping = () =>
    gateway.db
      .update(host)
      .set({ lastPinged: sql`now()` })
      .where(eq(host.id, hostId));
  await ping();
  await gateway.db.update(host).set({ status: 'Alert' }).where(eq(host.id, hostId));
  expect(await admins.next('host', ({ state }) => state === 'Alert')).toMatchObject({ id: hostId, name: 'host-1' });
  await ping();
  await setState((await deploy('after')).id, 'Stopped');
  await own.next('virtualmachine', ({ state }) => state === 'Stopped');
  expect(admins.events.filter(({ event }) => event === 'host')).toHaveLength(1);
  expect(own.events.some(({ event }) => event === 'host')).toBe(false);
});

test('goes on where a client was when it comes again, also at another gateway', async () => {
  const first = await open(somebody);
  const before = await deploy('before');
  await first.next('virtualmachine', ({ id }) => id === before.id);
  await waitFor('a position', () => Promise.resolve(Number(first.lastEventId) > 0));
  const { lastEventId } = first;
  first.close();
  const missed = await deploy('missed');
  const again = await open(somebody, { 'last-event-id': lastEventId });
  await again.next('virtualmachine', ({ id }) => id === missed.id);
  await waitFor('the position moves', () => Promise.resolve(Number(again.lastEventId) > Number(lastEventId)));
});

test('misses nothing that is committed long after it was done', async () => {
  const own = await open(somebody);
  const { id } = await deploy('slow');
  await own.next('virtualmachine', (vm) => vm['id'] === id);
  await gateway.db.transaction(async (tx) => {
    await tx.update(vmInstance).set({ displayName: 'committed late' }).where(eq(vmInstance.id, id));
    const { id: quick } = await deploy('quick');
    await own.next('virtualmachine', (vm) => vm['id'] === quick);
  });
  await own.next('virtualmachine', ({ displayname }) => displayname === 'committed late');
  // What was told while it was under way is not told twice.
  const told = own.events.filter(({ event, data }) => event === 'virtualmachine' && data['name'] === 'quick');
  expect(told).toHaveLength(1);
});

test.each(['nonsense', '-1', '99999999999999999999999'])(
  'has a client list anew that comes with %s',
  async (lastEventId) => {
    const own = await open(somebody, { 'last-event-id': lastEventId });
    await own.next('reset');
  },
);

describe('with a session', () => {
  const userOf = async ({ accountId }: TestUser) =>
    (await gateway.db.select().from(user).where(eq(user.accountId, accountId)))[0]!;
  const logIn = async () => openSession(gateway.db, (await userOf(somebody)).id, 30);
  const requestOf =
    ({ token, sessionKey }: Partial<SessionSecrets>) =>
    (signal?: AbortSignal) =>
      fetch(
        new URL(
          `/events?${new URLSearchParams(sessionKey ? { sessionkey: sessionKey } : {}).toString()}`,
          gateway.endpoint,
        ),
        {
          headers: token ? { cookie: `JSESSIONID=${token}` } : {},
          signal,
        },
      );

  test('tells as with a signature, and with cookie and key alone', async () => {
    const secrets = await logIn();
    const own = await follow(requestOf(secrets));
    const { id } = await deploy('followed');
    await own.next('virtualmachine', (vm) => vm['id'] === id);
    const { token, sessionKey } = await logIn();
    for (const wrong of [{ token }, { sessionKey }, { ...secrets, token }, {}]) {
      expect((await requestOf(wrong)()).status).toBe(401);
    }
    await follow(requestOf({ token, sessionKey }));
  });

  test('ends with it', async () => {
    const secrets = await logIn();
    const [own, signed] = [await follow(requestOf(secrets)), await open(somebody)];
    const out = new URL(`/client/api?command=logout&sessionkey=${secrets.sessionKey}`, gateway.endpoint);
    expect((await fetch(out, { headers: { cookie: `JSESSIONID=${secrets.token}` } })).status).toBe(200);
    await own.ended;
    // Who follows with keys of their own is told on, until they may call no longer.
    const before = signed.comments;
    await waitFor('more heartbeats', () => Promise.resolve(signed.comments > before + 2));
    const { id } = await userOf(somebody);
    await gateway.db.update(user).set({ state: 'disabled' }).where(eq(user.id, id));
    await signed.ended;
    await gateway.db.update(user).set({ state: 'enabled' }).where(eq(user.id, id));
  });
});

test('shows that it is alive', async () => {
  const own = await open(somebody);
  await waitFor('a heartbeat', () => Promise.resolve(own.comments > 1));
});

test('is for who may call, and for so many at once', async () => {
  expect((await request({ ...somebody, secretKey: 'wrong' })).status).toBe(401);
  for (let count = 0; count < 6; count++) await open(other);
  expect((await request(other)).status).toBe(429);
  await open(somebody);
});

test('drops a client that does not take what it is told', async () => {
  const { port } = new URL(gateway.endpoint);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${pathOf(somebody)} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await once(socket, 'readable');
  const { id } = await deploy('talkative');
  const isDropped = () => gateway.log().includes('"isDropped":true');
  for (let round = 0; round < 400 && !isDropped(); round++) {
    await gateway.db
      .update(vmInstance)
      .set({ displayName: 'x'.repeat(250_000) + round })
      .where(eq(vmInstance.id, id));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(isDropped()).toBe(true);
  socket.destroy();
});

test('ends its streams in order', async () => {
  const ending = await startTestGateway();
  const response = await fetch(new URL(pathOf(ending.seeded.admin), ending.endpoint));
  const read = response.text();
  await ending.stop();
  expect(await read).toContain('event: ready');
});
