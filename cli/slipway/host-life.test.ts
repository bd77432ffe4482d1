import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eq } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { host } from '../../db/schema/index.js';
import { type HostConfig, keyPairsOf, readHostConfig } from '../../kvm/host-config.js';
import { writeHostConfig } from '../../kvm/write-host-config.js';
import { POOL_MARKER } from '../../kvm/storage/pool-marker.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { parseArguments } from './arguments.js';
import type { JoinCommand, LeaveCommand, RotateKeysCommand } from './commands.js';
import { doctor } from './doctor.js';
import { join } from './join.js';
import { leave } from './leave.js';
import { rotateKeys } from './rotate-keys.js';

const HOUR_MS = 3_600_000;

// Each join starts a virtual machine to find out whether there is KVM.
jest.setTimeout(30_000);

describe('the life of a host on its machine', () => {
  let gateway: TestGateway;
  let directory: string;
  const at = (...names: string[]) => path.join(directory, ...names);

  beforeAll(async () => void (gateway = await startTestGateway()));
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-host-life-'));
    await chmod(directory, 0o711);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const token = async (parameters: Record<string, string> = { clusterid: gateway.seeded.clusterId }) => {
    const { hostjointoken } = await gateway.admin.call('createHostJoinToken', parameters);
    return (hostjointoken as { token: string }).token;
  };
  const places = () => ['--config-dir', at('etc'), '--state-dir', at('state'), '--unit-dir', at('units')];
  const joins = async (...further: string[]) => {
    const args = ['host', 'join', '--gateway', gateway.endpoint, '--token', await token(), '--pool', at('pool')];
    const all = [...args, '--temporal-address', 'temporal:7233', '--name', path.basename(directory), ...further];
    return join(parseArguments([...all, ...places()]) as JoinCommand, '/opt/slipway/dist');
  };
  const config = () => readHostConfig(at('etc/host.json'));
  const rotates = async (hostId: string, nowMs: number, ...further: string[]) => {
    const args = ['host', 'rotate-keys', '--gateway', gateway.endpoint, '--token', await token({ hostid: hostId })];
    return rotateKeys(parseArguments([...args, ...further, ...places()]) as RotateKeysCommand, nowMs);
  };
  const rowOf = async (id: string) => (await gateway.db.select().from(host).where(eq(host.id, id)))[0]!;
  const publicKeys = ({ keyPair, furtherKeyPairs }: HostConfig, nowMs: number) =>
    keyPairsOf({ keyPair, furtherKeyPairs } as HostConfig, nowMs).map(({ publicKey }) => publicKey);

  it('begins with a configuration, an environment and a unit, secrets for their owner only', async () => {
    const { hostId } = await joins('--guest-vlan-interface', 'lo');
    const { poolId } = JSON.parse(await readFile(at('pool', POOL_MARKER), 'utf8')) as { poolId: string };
    expect(await config()).toMatchObject({
      hostId,
      installationId: gateway.seeded.installationId,
      name: path.basename(directory),
      pools: [{ poolId, type: 'Filesystem', path: at('pool') }],
      consoleDirectory: at('state/console'),
      guestVlanInterface: 'lo',
    });
    expect(await readFile(at('etc/host.env'), 'utf8')).toBe('TEMPORAL_ADDRESS="temporal:7233"\n');
    expect(await readFile(at('units/slipway-host.service'), 'utf8')).toContain(at('etc/host.json'));
    const modes = ['etc/host.json', 'etc/host.env', 'state/console', 'state/tokens', 'pool'].map(
      async (name) => (await stat(at(name))).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o600, 0o600, 0o711, 0o700, 0o711]);
    expect(await readdir(at('etc'))).toEqual(['host.env', 'host.json']);
  });

  it('is the same after the command was run once more, with what was said this time', async () => {
    const first = await joins();
    const before = await config();
    const again = await joins('--guest-bridge', 'lo');
    expect(again.hostId).toBe(first.hostId);
    expect(await config()).toEqual({ ...before, guestBridge: 'lo' });
  });

  it('is the same after somebody renamed it, and knows its name when it joins once more', async () => {
    const { hostId } = await joins();
    const before = await config();
    const name = `KVM host 1 (${hostId})`;
    await gateway.admin.call('updateHost', { id: hostId, name });
    for (let times = 1; times <= 2; times++) expect(await joins()).toMatchObject({ hostId, name });
    expect(await joins('--name', name)).toMatchObject({ hostId, name });
    expect(await config()).toEqual({ ...before, name, joinedAs: before.name });
    expect(await readFile(at('units/slipway-host.service'), 'utf8')).toContain(`Slipway host worker (${name})`);
  });

  it('gets other keys whatever somebody has called it', async () => {
    const { hostId } = await joins();
    await gateway.admin.call('updateHost', { id: hostId, name: `KVM host 1 of ${'a long row '.repeat(9)}(${hostId})` });
    await rm(at('etc'), { recursive: true });
    await joins('--token', await token({ hostid: hostId }));
    expect((await rowOf(hostId)).publicKey).toBe((await config()).keyPair.publicKey);
    const { publicKey } = await rotates(hostId, Date.now());
    expect(await rowOf(hostId)).toMatchObject({ publicKey });
    expect((await config()).keyPair).toMatchObject({ publicKey });
  });

  it('keeps its keys when a join was cut short after it had been heard', async () => {
    const { hostId } = await joins();
    const { keyPair } = await config();
    await writeFile(at('etc/joining.json'), JSON.stringify(keyPair), { mode: 0o600 });
    await rm(at('etc/host.json'));
    expect((await joins()).hostId).toBe(hostId);
    expect((await config()).keyPair).toEqual(keyPair);
  });

  it('does not overwrite a host of another installation, or another host of this one, unless it is told to', async () => {
    await joins();
    const known = await config();
    await expect(joins('--name', 'another')).rejects.toThrow('and not another');
    await writeHostConfig(at('etc/host.json'), { ...known, installationId: crypto.randomUUID() });
    await expect(joins()).rejects.toThrow('is a host of another installation');
    const { hostId } = await joins('--name', `${known.name}-2`, '--pool', at('pool-2'), '--force').catch(() => ({
      hostId: '',
    }));
    // Its pool is the other host's own, which force does not change.
    expect(hostId).toBe('');
    expect((await config()).installationId).not.toBe(known.installationId);
  });

  it('does not begin on a machine that lacks something, and says what', async () => {
    await expect(joins('--shared-pool', at('not-mounted'))).rejects.toThrow(/not-mounted: is not there[^]*mount it/);
    await expect(joins('--guest-bridge', 'no-such-if')).rejects.toThrow('interface no-such-if: is not there');
    await expect(joins('--libvirt-uri', 'qemu+unix:///system?socket=/none')).rejects.toThrow('cannot be a host yet');
    expect(existsSync(at('etc/host.json'))).toBe(false);
  });

  it('uses no token up for what could not be written down', async () => {
    const unused = await token();
    await expect(joins('--token', unused, '--proxy', 'https://proxy:1')).rejects.toThrow('proxyUrl must be');
    await writeFile(at('etc/joining.json'), '{"secretKey":"AAAA');
    await expect(joins('--token', unused)).rejects.toThrow(/joining\.json cannot be read: remove it/);
    await rm(at('etc/joining.json'));
    await expect(joins('--token', unused)).resolves.toMatchObject({ name: path.basename(directory) });
  });

  it.each<[string, (hostId: string) => Promise<unknown>]>([
    ['join', async (hostId) => joins('--token', await token({ hostid: hostId }))],
    ['rotate-keys', (hostId) => rotates(hostId, Date.now())],
  ])('has no key of before when it comes back after it was revoked: %s', async (_, comeBack) => {
    const { hostId } = await joins();
    const prepared = {
      publicKey: Buffer.alloc(32, 3).toString('base64'),
      secretKey: Buffer.alloc(32, 4).toString('base64'),
    };
    const stolen = { ...(await config()), furtherKeyPairs: [prepared] };
    await writeHostConfig(at('etc/host.json'), stolen);
    gateway.onExecute = () => Promise.resolve();
    await gateway.admin.call('revokeHost', { id: hostId });
    await comeBack(hostId);
    const { keyPair, furtherKeyPairs = [] } = await config();
    expect(await rowOf(hostId)).toMatchObject({ publicKey: keyPair.publicKey, status: 'Connecting' });
    expect([stolen.keyPair.publicKey, prepared.publicKey]).not.toContain(keyPair.publicKey);
    expect(furtherKeyPairs).toEqual([]);
  });

  it('has the keys that were announced when it came back and was cut short', async () => {
    const { hostId } = await joins();
    const next = {
      publicKey: Buffer.alloc(32, 5).toString('base64'),
      secretKey: Buffer.alloc(32, 6).toString('base64'),
    };
    await writeFile(at('etc/joining.json'), JSON.stringify({ ...next, hostId }));
    await joins('--token', await token({ hostid: hostId }));
    expect(await rowOf(hostId)).toMatchObject({ publicKey: next.publicKey });
    expect(await config()).toMatchObject({ keyPair: next });
    expect(existsSync(at('etc/joining.json'))).toBe(false);
  });

  it('changes its keys, and takes the former one for two days more', async () => {
    const { hostId } = await joins();
    const first = (await config()).keyPair.publicKey;
    const now = Date.now();
    const { publicKey } = await rotates(hostId, now);
    expect(await rowOf(hostId)).toMatchObject({ publicKey });
    expect(publicKeys(await config(), now + 47 * HOUR_MS)).toEqual([publicKey, first]);
    expect(publicKeys(await config(), now + 49 * HOUR_MS)).toEqual([publicKey]);

    const later = await rotates(hostId, now + 49 * HOUR_MS);
    expect((await config()).furtherKeyPairs).toMatchObject([{ publicKey }]);
    await rotates(hostId, now, '--drop-former');
    expect((await config()).furtherKeyPairs).toEqual([]);
    expect(later.publicKey).not.toBe((await config()).keyPair.publicKey);
  });

  it('has the key that the installation knows when several give it new ones at once', async () => {
    const { hostId } = await joins();
    for (let round = 0; round < 5; round++) {
      const tries = await Promise.allSettled([1, 2, 3].map(() => rotates(hostId, Date.now())));
      expect((await rowOf(hostId)).publicKey).toBe((await config()).keyPair.publicKey);
      const refused = tries.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
      expect(refused.length).toBeLessThan(tries.length);
      for (const reason of refused) expect(reason).toContain('Another process gives the host of');
    }
  });

  it('goes on with the key that was announced when a rotation was cut short', async () => {
    const { hostId } = await joins();
    const next = {
      publicKey: Buffer.alloc(32, 1).toString('base64'),
      secretKey: Buffer.alloc(32, 2).toString('base64'),
    };
    await writeHostConfig(at('etc/host.json'), { ...(await config()), furtherKeyPairs: [next] });
    await rotates(hostId, Date.now());
    expect((await config()).keyPair).toEqual(next);
  });

  it('does not change its keys with a token for something else', async () => {
    await joins();
    const { keyPair } = await config();
    const args = ['host', 'rotate-keys', '--gateway', gateway.endpoint, '--token', await token(), ...places()];
    await expect(rotateKeys(parseArguments(args) as RotateKeysCommand, Date.now())).rejects.toThrow('for a new host');
    expect((await config()).keyPair).toEqual(keyPair);
  });

  it('is looked over by the doctor', async () => {
    const look = async () =>
      doctor(parseArguments(['doctor', ...places()]) as Parameters<typeof doctor>[0], Date.now(), 300);
    expect((await look()).checks).toContainEqual(
      expect.objectContaining({ name: at('etc/host.json'), status: 'warning' }),
    );
    await joins();
    await chmod(at('etc/host.json'), 0o644);
    await rm(at('pool', POOL_MARKER));
    await writeFile(at('etc/host.env'), 'TEMPORAL_ADDRESS="127.0.0.1:1"\n');
    const { isOk, checks } = await look();
    expect(isOk).toBe(false);
    const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    expect(failed).toEqual([`pool ${at('pool')}`, at('etc/host.json'), 'Temporal']);
    expect(checks.every(({ status, remedy }) => status === 'ok' || remedy !== undefined)).toBe(true);
  });

  describe('that leaves with the keys of an admin', () => {
    const leaves = async ({ endpoint, seeded }: TestGateway = gateway) => {
      const { apiKey, secretKey } = seeded.admin;
      await writeFile(at('admin.json'), JSON.stringify({ endpoint, apiKey, secretKey }));
      return leave(parseArguments(['host', 'leave', '--credentials', at('admin.json'), ...places()]) as LeaveCommand);
    };
    /** What the workflow of the job does, once it is there. */
    const maintained = async (hostId: string, virtualmachines: { name: string }[]) => {
      await waitFor('the host is prepared', async () => gateway.started.at(-1)?.instanceId === hostId);
      const resourceState = virtualmachines.length === 0 ? 'Maintenance' : 'PrepareForMaintenance';
      await gateway.db.update(host).set({ resourceState }).where(eq(host.id, hostId));
      const { id } = gateway.started.at(-1)!;
      await completeJob(gateway.db, id, { status: 'succeeded', resultCode: 0, result: { virtualmachines } });
    };

    it('is drained and deleted first', async () => {
      const { hostId } = await joins();
      gateway.onExecute = () => Promise.resolve();
      await Promise.all([leaves(), maintained(hostId, [])]);
      expect(gateway.executed.at(-1)).toMatchObject({ workflowType: 'removeHost', input: { hostId } });
      expect(existsSync(at('etc/host.json'))).toBe(false);
    });

    it('stays as it is while something runs there', async () => {
      const { hostId } = await joins();
      const [left] = await Promise.allSettled([leaves(), maintained(hostId, [{ name: 'vm-1' }])]);
      const message = expect.stringContaining('still runs vm-1: stop them, or leave with --stop-vms') as string;
      expect(left).toMatchObject({ status: 'rejected', reason: { message } });
      expect(await readdir(at('etc'))).toContain('host.json');
    });

    it('stays as it is when the admin is one of another installation', async () => {
      const { hostId } = await joins();
      const other = await startTestGateway();
      try {
        await expect(leaves(other)).rejects.toThrow(`has no host ${hostId}`);
      } finally {
        await other.stop();
      }
      expect(await readdir(at('etc'))).toEqual(['host.env', 'host.json']);
      expect(await readdir(at('units'))).toEqual(['slipway-host.service']);
      expect(existsSync(at('pool', POOL_MARKER))).toBe(true);
      expect((await rowOf(hostId)).removed).toBeNull();
    });

    it('is asked for --removed when it was deleted before', async () => {
      const { hostId } = await joins();
      await gateway.db.update(host).set({ removed: new Date().toISOString() }).where(eq(host.id, hostId));
      await expect(leaves()).rejects.toThrow('when it was deleted there, run slipway host leave --removed');
      await leave(parseArguments(['host', 'leave', '--removed', ...places()]) as LeaveCommand);
      expect(await readdir(at('etc'))).toEqual([]);
    });
  });

  it('goes on leaving where that was cut short', async () => {
    await joins();
    const removed = parseArguments(['host', 'leave', '--removed', ...places()]) as LeaveCommand;
    const secrets = await readFile(at('etc/host.env'));
    // A directory is in the way of whoever wants to remove a file.
    await rm(at('etc/host.env'));
    await mkdir(at('etc/host.env'));
    await expect(leave(removed)).rejects.toThrow(/is a directory/i);
    await rm(at('etc/host.env'), { recursive: true });
    await writeFile(at('etc/host.env'), secrets);
    await leave(removed);
    expect([...(await readdir(at('etc'))), ...(await readdir(at('state')))]).toEqual([]);
  });

  it('ends with what made it a host, and leaves disks of VMs and strangers’ files', async () => {
    await joins('--pool', at('with-disk'));
    const copy = `${crypto.randomUUID()}.g1.e1`;
    const disk = `${crypto.randomUUID()}.1`;
    for (const name of [`pool/${copy}`, `pool/${copy}.partial`, 'pool/mine.txt', `with-disk/${disk}`]) {
      await writeFile(at(name), '');
    }
    const without = parseArguments(['host', 'leave', ...places()]) as LeaveCommand;
    process.env['SLIPWAY_CREDENTIALS'] = at('no-credentials.json');
    await expect(leave(without)).rejects.toThrow(/Only an admin can[^]*prepareHostForMaintenance id=/);
    delete process.env['SLIPWAY_CREDENTIALS'];
    expect((await leave({ ...without, isRemoved: true })).keptPools).toEqual([at('with-disk')]);
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['pool', 'with-disk']));
    expect(await readdir(at('pool'))).toEqual(['mine.txt']);
    expect((await readdir(at('with-disk'))).toSorted()).toEqual([POOL_MARKER, disk].toSorted());
    expect([...(await readdir(at('etc'))), ...(await readdir(at('state'))), ...(await readdir(at('units')))]).toEqual(
      [],
    );
  });
});
