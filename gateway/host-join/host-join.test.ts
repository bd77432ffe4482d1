import { randomBytes, randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { cluster, event, host, hostJoinToken, storagePool, storagePoolHostRef } from '../../db/schema/index.js';
import { SlipwayError } from '../../shared/errors.js';
import { HOST_JOIN_CHECK_PATH, HOST_JOIN_PATH } from '../../shared/host-join.js';
import { hostRevocationWorkflowId } from '../../shared/workflow-ids.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';

let gateway: TestGateway;
beforeAll(async () => void (gateway = await startTestGateway()));
afterAll(() => gateway.stop());

const newKey = () => randomBytes(32).toString('base64');
const newToken = async (parameters: Record<string, string> = { clusterid: gateway.seeded.clusterId }) => {
  const { hostjointoken } = await gateway.admin.call('createHostJoinToken', parameters);
  return hostjointoken as { id: string; token: string; expires: string };
};
const post = async (path: string, body: unknown) => {
  const response = await fetch(new URL(path, gateway.endpoint), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const pool = (changes = {}) => ({ poolId: randomUUID(), type: 'Filesystem', path: '/srv/pool', ...changes });
const machine = (changes: Record<string, unknown> = {}) => ({
  name: `host-${randomUUID()}`,
  publicKey: newKey(),
  arch: 'x86_64',
  pools: [pool()],
  ...changes,
});
const rowOf = async (id: unknown) =>
  (
    await gateway.db
      .select()
      .from(host)
      .where(eq(host.id, id as string))
  )[0]!;
const eventsOf = async (resourceId: unknown) =>
  gateway.db
    .select()
    .from(event)
    .where(eq(event.resourceId, resourceId as string))
    .orderBy(event.created);

async function join(changes: Record<string, unknown> = {}) {
  const self = machine(changes);
  const { token } = await newToken();
  const { status, body } = await post(HOST_JOIN_PATH, { ...self, token });
  expect(status).toBe(200);
  return { ...self, hostId: body['hostId'] as string };
}

describe('a machine that joins', () => {
  it('is a Connecting host of the cluster of its token, with its pools', async () => {
    const { id, token } = await newToken();
    const self = machine({ pools: [pool(), pool({ type: 'NetworkFilesystem', path: '/mnt/images' })] });
    const { body } = await post(HOST_JOIN_PATH, { ...self, token });
    const { installationId, zoneId, clusterId } = gateway.seeded;
    expect(body).toMatchObject({ installationId, zoneId, clusterId, zoneName: 'zone-1', hostName: self.name });
    const { publicKey, arch, status } = await rowOf(body['hostId']);
    expect({ publicKey, arch, status }).toEqual({ publicKey: self.publicKey, arch: 'x86_64', status: 'Connecting' });
    const places = await gateway.db
      .select({ path: storagePoolHostRef.localPath, scope: storagePool.scope })
      .from(storagePoolHostRef)
      .innerJoin(storagePool, eq(storagePool.id, storagePoolHostRef.poolId))
      .where(eq(storagePoolHostRef.hostId, body['hostId'] as string))
      .orderBy(storagePoolHostRef.localPath);
    expect(places).toEqual([
      { path: '/mnt/images', scope: 'CLUSTER' },
      { path: '/srv/pool', scope: 'HOST' },
    ]);
    expect(await eventsOf(body['hostId'])).toMatchObject([
      { type: 'HOST.JOIN', description: `Host ${self.name} joined, with token ${id}`, accountId: expect.any(String) },
    ]);
    expect((await eventsOf(clusterId)).map(({ type }) => type)).toContain('HOST.JOIN.TOKEN');
  });

  it('may ask what a token is for, without using it up', async () => {
    const { token } = await newToken();
    for (const _ of [1, 2]) {
      const { status, body } = await post(HOST_JOIN_CHECK_PATH, { token });
      expect([status, body]).toEqual([200, expect.objectContaining({ clusterName: 'cluster-1' })]);
    }
  });

  it('is the same host again with its own key and another token', async () => {
    const first = await join();
    const again = await join({ name: first.name, publicKey: first.publicKey, pools: first.pools });
    expect(again.hostId).toBe(first.hostId);
  });

  it('is the same host again by its id after somebody renamed it', async () => {
    const { hostId, ...self } = await join();
    const name = `KVM host (${hostId})`;
    await gateway.admin.call('updateHost', { id: hostId, name });
    const { token } = await newToken();
    const { body } = await post(HOST_JOIN_PATH, { ...self, hostId, token });
    expect(body).toMatchObject({ hostId, hostName: name });
    // By what it knows of its name now, too.
    const { token: another } = await newToken();
    expect(await post(HOST_JOIN_PATH, { ...self, hostId, name, token: another })).toMatchObject({ body: { hostId } });
  });

  it('is neither another host by its id, nor a new one when that was revoked', async () => {
    const { hostId, publicKey } = await join();
    const { token } = await newToken();
    const refused = { status: 431, body: { code: 'SLIPWAY_JOIN_REFUSED' } };
    expect(await post(HOST_JOIN_PATH, { ...machine({ hostId }), token })).toMatchObject(refused);
    expect((await rowOf(hostId)).publicKey).toBe(publicKey);
    await gateway.db.update(host).set({ status: 'Revoked', publicKey: null }).where(eq(host.id, hostId));
    expect(await post(HOST_JOIN_PATH, { ...machine({ hostId, publicKey }), token })).toMatchObject(refused);
  });

  it.each(['KVM host 1', 'a/b', 'x'.repeat(64)])('has no name that no machine has: %s', async (name) => {
    const { token } = await newToken();
    for (const hostId of [undefined, randomUUID()]) {
      expect(await post(HOST_JOIN_PATH, { ...machine({ name, hostId }), token })).toMatchObject({
        status: 431,
        body: {
          code: 'SLIPWAY_PARAMETER_INVALID',
          message: expect.stringContaining('name has to be letters') as string,
        },
      });
    }
    expect(await gateway.db.$count(host, eq(host.name, name))).toBe(0);
    expect(await post(HOST_JOIN_PATH, { ...machine(), token })).toMatchObject({ status: 200 });
  });

  it('does not take the place of a host with another key, nor of one in another cluster', async () => {
    const first = await join();
    const { token } = await newToken();
    const taken = await post(HOST_JOIN_PATH, { ...machine({ name: first.name }), token });
    expect(taken).toMatchObject({ status: 431, body: { code: 'SLIPWAY_JOIN_REFUSED' } });
    expect(taken.body['message']).toContain(`hostid=${first.hostId}`);

    const { zoneId, podId } = gateway.seeded;
    const [other] = await gateway.db.insert(cluster).values({ name: 'other', dataCenterId: zoneId, podId }).returning();
    const { token: elsewhere } = await newToken({ clusterid: other!.id });
    const { pools: _pools, hostId: _hostId, ...self } = first;
    const moved = await post(HOST_JOIN_PATH, { ...self, pools: [pool()], token: elsewhere });
    expect(moved).toMatchObject({ status: 431, body: { code: 'SLIPWAY_JOIN_REFUSED' } });
    expect((await rowOf(first.hostId)).publicKey).toBe(first.publicKey);
    // A refusal is no use of the token.
    expect(await post(HOST_JOIN_PATH, { ...machine(), token })).toMatchObject({ status: 200 });
  });

  it('reaches a pool that was made before any host had it', async () => {
    const { zoneId, clusterId } = gateway.seeded;
    const url = 'nfs://files.example/export/images';
    const made = await gateway.admin.call('createStoragePool', {
      name: 'images',
      zoneid: zoneId,
      clusterid: clusterId,
      url,
    });
    const { id: poolId } = made['storagepool'] as { id: string };
    const { hostId } = await join({ pools: [pool({ poolId, type: 'NetworkFilesystem', path: '/mnt/images' })] });
    const [place] = await gateway.db.select().from(storagePoolHostRef).where(eq(storagePoolHostRef.hostId, hostId));
    expect(place).toMatchObject({ poolId, localPath: '/mnt/images' });
  });

  it('is refused with a pool that is another host’s own', async () => {
    const first = await join();
    const { token } = await newToken();
    const refused = await post(HOST_JOIN_PATH, { ...machine({ pools: first.pools }), token });
    expect(refused).toMatchObject({ status: 431, body: { code: 'SLIPWAY_JOIN_REFUSED' } });
    expect(refused.body['message']).toContain("another host's own");
  });

  it('is refused with another architecture than its cluster has, and the token is not used up', async () => {
    await join();
    const { token } = await newToken();
    const refused = await post(HOST_JOIN_PATH, { ...machine({ arch: 'aarch64' }), token });
    expect(refused).toMatchObject({ status: 431, body: { code: 'SLIPWAY_JOIN_REFUSED' } });
    expect(refused.body['message']).toContain('is aarch64, and cluster cluster-1 is for x86_64');
    expect((await post(HOST_JOIN_PATH, { ...machine(), token })).status).toBe(200);
  });

  it('is listed with its version, and what is to be said of it', async () => {
    const { hostId } = await join();
    const facts = {
      slipwayVersion: '99.0.0',
      versionSkew: 'newer',
      libvirtVersion: '9.0.0',
      missingTools: ['xz', 'zstd'],
    };
    await gateway.db.update(host).set(facts).where(eq(host.id, hostId));
    const details = { 'libvirt.version': '9.0.0', 'tools.missing': 'xz, zstd', 'version.skew': 'newer' };
    expect(await gateway.admin.call('listHosts', { id: hostId })).toMatchObject({
      host: [{ version: '99.0.0', details }],
    });
  });

  it('gets another key by a token for it, and keeps its name', async () => {
    const first = await join();
    const { token } = await newToken({ hostid: first.hostId });
    const publicKey = newKey();
    const { body } = await post(HOST_JOIN_PATH, { ...machine({ publicKey, pools: first.pools }), token });
    expect(body).toMatchObject({ hostId: first.hostId, hostName: first.name });
    expect(await rowOf(first.hostId)).toMatchObject({ publicKey, name: first.name });
    expect((await eventsOf(first.hostId)).at(-1)!.description).toContain('has a new key');
  });
});

describe('a token', () => {
  const usedAgain = async () => {
    const { token } = await newToken();
    await post(HOST_JOIN_PATH, { ...machine(), token });
    return token;
  };
  const expired = async () => {
    const { id, token } = await newToken();
    await gateway.db
      .update(hostJoinToken)
      .set({ expires: new Date(0).toISOString() })
      .where(eq(hostJoinToken.id, id));
    return token;
  };
  const withAnotherSecret = async () => (await newToken()).token.slice(0, -43) + randomBytes(32).toString('base64url');

  it.each([
    ['used already', usedAgain, 'was used already'],
    ['expired', expired, 'has expired'],
    ['with another secret', withAnotherSecret, 'is not known here'],
    ['of no form', () => Promise.resolve('guess'), 'is not known here'],
  ])('that is %s joins nothing', async (_, make, text) => {
    const { status, body } = await post(HOST_JOIN_PATH, { ...machine(), token: await make() });
    expect(status).toBe(401);
    expect(body).toEqual({
      code: 'SLIPWAY_JOIN_TOKEN',
      message: expect.stringContaining(text) as string,
      remedy: expect.stringContaining('createHostJoinToken') as string,
    });
  });

  it('of two machines that come at once lets one in', async () => {
    const { token } = await newToken();
    const answers = await Promise.all([1, 2, 3].map(() => post(HOST_JOIN_PATH, { ...machine(), token })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
  });

  it('expires an hour later, or when it was said', async () => {
    const inSeconds = async (parameters: Record<string, string>) => {
      const { id } = await newToken({ clusterid: gateway.seeded.clusterId, ...parameters });
      const [row] = await gateway.db.select().from(hostJoinToken).where(eq(hostJoinToken.id, id));
      return (Date.parse(row!.expires) - Date.parse(row!.created)) / 1000;
    };
    expect(await inSeconds({})).toBe(3600);
    expect(await inSeconds({ expiry: '60' })).toBe(60);
    await expect(inSeconds({ expiry: '604801' })).rejects.toThrow('invalid value');
  });

  it('is for root admins, and for a cluster or a host that is there', async () => {
    const { client } = await gateway.addUser('somebody');
    const { clusterId } = gateway.seeded;
    await expect(client.call('createHostJoinToken', { clusterid: clusterId })).rejects.toThrow('does not exist');
    await expect(newToken({ clusterid: randomUUID() })).rejects.toThrow('There is no cluster');
    await expect(newToken({ hostid: randomUUID() })).rejects.toThrow('There is no host');
    await expect(newToken({})).rejects.toThrow('either clusterid or hostid');
    await expect(newToken({ hostid: randomUUID(), clusterid: clusterId })).rejects.toThrow('either');
  });

  it('and a key are in no log, event and row', async () => {
    const { token } = await newToken();
    const secret = token.slice(-43);
    await post(HOST_JOIN_PATH, { ...machine(), token });
    await post(HOST_JOIN_PATH, `{"token":"${token}"`);
    const rows = [await gateway.db.select().from(event), await gateway.db.select().from(hostJoinToken)];
    expect(JSON.stringify(rows) + gateway.log()).not.toContain(secret);
    expect(gateway.log()).toContain('a host has joined');
  });
});

describe('a request', () => {
  it.each([
    ['no JSON', '{', 'SLIPWAY_REQUEST_MALFORMED'],
    ['a list', [], 'SLIPWAY_PARAMETER_INVALID'],
    ['no token', machine(), 'SLIPWAY_PARAMETER_INVALID'],
    ['a key of another length', { ...machine(), token: 'x', publicKey: 'AAAA' }, 'SLIPWAY_PARAMETER_INVALID'],
    ['a name of two lines', { ...machine(), token: 'x', name: 'a\nb' }, 'SLIPWAY_PARAMETER_INVALID'],
    ['an id that is none', { ...machine(), token: 'x', hostId: 'host-1' }, 'SLIPWAY_PARAMETER_INVALID'],
    ['no pool', { ...machine(), token: 'x', pools: [] }, 'SLIPWAY_PARAMETER_INVALID'],
    ['a pool of no type', { ...machine(), token: 'x', pools: [pool({ type: 'RBD' })] }, 'SLIPWAY_PARAMETER_INVALID'],
    ['a relative path', { ...machine(), token: 'x', pools: [pool({ path: 'srv' })] }, 'SLIPWAY_PARAMETER_INVALID'],
    ['too much', { ...machine(), token: 'x', name: 'x'.repeat(400_000) }, 'SLIPWAY_REQUEST_MALFORMED'],
  ])('with %s is refused', async (_, body, code) => {
    const answer = await post(HOST_JOIN_PATH, body);
    expect(answer.body).toMatchObject({ code, remedy: expect.any(String) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe('a host that is revoked', () => {
  const revoke = (id: string, parameters = {}) => gateway.admin.call('revokeHost', { id, ...parameters });

  it('has no key from that moment on, also when Temporal does not answer', async () => {
    const { hostId, name } = await join();
    const { token } = await newToken({ hostid: hostId });
    gateway.onExecute = () => Promise.reject(new SlipwayError('SLIPWAY_UNAVAILABLE', 'Temporal does not answer'));
    expect(await revoke(hostId)).toEqual({ success: true, virtualmachines: [] });
    expect(gateway.executed.at(-1)).toMatchObject({
      workflowType: 'revokeHost',
      workflowId: hostRevocationWorkflowId(hostId),
    });
    expect(await rowOf(hostId)).toMatchObject({ status: 'Revoked', publicKey: null });
    expect((await eventsOf(hostId)).at(-1)).toMatchObject({ type: 'HOST.REVOKE', level: 'WARN' });
    expect(await post(HOST_JOIN_CHECK_PATH, { token })).toMatchObject({ status: 401 });
    // Also for whoever has the machine, and with it the key.
    const { token: fresh } = await newToken();
    expect(await post(HOST_JOIN_PATH, { ...machine({ name }), token: fresh })).toMatchObject({ status: 431 });
  });

  it('is Up, unless that is wanted', async () => {
    const { hostId } = await join();
    await gateway.db.update(host).set({ status: 'Up' }).where(eq(host.id, hostId));
    await expect(revoke(hostId)).rejects.toThrow('forced=true');
    await revoke(hostId, { forced: 'true' });
    await expect(revoke(randomUUID())).rejects.toThrow('Unable to execute API command');
    expect(await gateway.admin.call('listHosts', { id: hostId })).toMatchObject({ host: [{ state: 'Revoked' }] });
  });

  it('is trusted again with a new key that somebody has made a token for', async () => {
    const { hostId, pools } = await join();
    await revoke(hostId);
    const { token } = await newToken({ hostid: hostId });
    const publicKey = newKey();
    await post(HOST_JOIN_PATH, { ...machine({ publicKey, pools }), token });
    expect(await rowOf(hostId)).toMatchObject({ status: 'Connecting', publicKey });
  });
});

// The last one: from then on wrong tokens of this address are refused.
it('refuses an address that sends one wrong token after the other, for a while', async () => {
  const answers = [];
  for (let tries = 0; tries < 24; tries += 1) answers.push(await post(HOST_JOIN_CHECK_PATH, { token: 'guess' }));
  expect(answers.at(-1)).toMatchObject({ status: 429, body: { code: 'SLIPWAY_TOO_MANY_REQUESTS' } });
});
