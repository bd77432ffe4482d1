import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LibvirtDriver } from '../../kvm/hypervisor/libvirt-driver.js';
import { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import { makePool } from '../../tests/support/test-pool.js';
import { settleInventory, takeInventory } from './reconcile.js';

describe('what a host has', () => {
  let directory: string;
  let pool: FilesystemPool;
  let dependencies: Parameters<typeof takeInventory>[0];
  const lost = randomUUID();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-reconcile-'));
    for (const name of ['pool', 'unmounted', 'consoles']) await mkdir(join(directory, name));
    pool = await makePool(join(directory, 'pool'));
    const unmounted = new FilesystemPool({
      poolId: lost,
      type: 'SharedMountPoint',
      path: join(directory, 'unmounted'),
    });
    dependencies = {
      bootId: 'boot-1',
      pools: new Map([
        [pool.poolId, pool],
        [lost, unmounted],
      ]),
      // libvirt's own driver for tests, in virsh: it has a domain, which is not ours.
      libvirt: new LibvirtDriver({
        uri: 'test:///default',
        installationId: randomUUID(),
        hostId: randomUUID(),
        consoleDirectory: join(directory, 'consoles'),
        poolPath: () => join(directory, 'pool'),
      }),
    };
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is listed without what cannot be read, and without what is not ours', async () => {
    const [vmId, volumeId] = [randomUUID(), randomUUID()];
    await writeFile(join(directory, 'pool', `${volumeId}.2`), '');
    await writeFile(join(directory, 'consoles', `${vmId}.log`), '');
    expect(await takeInventory(dependencies)({ poolIds: [pool.poolId, lost, randomUUID()] })).toEqual({
      bootId: 'boot-1',
      pools: [{ poolId: pool.poolId, files: [`${volumeId}.2`], recentFiles: [`${volumeId}.2`] }],
      vmIds: [],
      keptVmIds: [vmId],
    });
  });

  it('is listed in parts, domains and consoles with the first', async () => {
    await mkdir(join(directory, 'other'));
    const other = await makePool(join(directory, 'other'));
    dependencies = { ...dependencies, pools: new Map([...dependencies.pools, [other.poolId, other]]) };
    await writeFile(join(directory, 'consoles', `${randomUUID()}.log`), '');
    const fileOf = async (of: 'pool' | 'other') => {
      const name = `${randomUUID()}.2`;
      await writeFile(join(directory, of, name), '');
      return name;
    };
    const files = [await fileOf('pool'), await fileOf('pool'), await fileOf('pool')].toSorted();
    const last = await fileOf('other');
    const take = takeInventory(dependencies, 2);
    const poolIds = [pool.poolId, lost, other.poolId];
    const first = await take({ poolIds });
    expect(first).toMatchObject({
      pools: [{ files: files.slice(0, 2), upTo: files[1] }],
      keptVmIds: [expect.anything()],
    });
    expect(first.next).toEqual({ poolId: pool.poolId, after: files[1] });
    const second = await take({ poolIds, from: first.next });
    expect(second).toMatchObject({
      pools: [
        { poolId: pool.poolId, after: files[1], files: files.slice(2) },
        { poolId: other.poolId, files: [last] },
      ],
      keptVmIds: [],
    });
    expect(second.next).toBeUndefined();
    const whole = await take({ poolIds: [other.poolId, lost], from: { poolId: lost, after: '' } });
    expect([whole.pools, whole.next]).toEqual([[], undefined]);
  });

  it('is settled: orphans and consoles go, and what has come meanwhile is not missing', async () => {
    const [vmId, volumeId] = [randomUUID(), randomUUID()];
    const file = (token: number) => ({ poolId: pool.poolId, fileName: `${volumeId}.${token}` });
    for (const token of [2, 4]) await writeFile(join(directory, 'pool', file(token).fileName), '');
    await writeFile(join(directory, 'consoles', `${vmId}.log`), '');
    const missing = [4, 6].map((token) => ({ ...file(token), kind: 'lostVolume' as const }));
    const settle = settleInventory(dependencies);
    expect(await settle({ orphans: [file(2)], missing, goneVmIds: [vmId] })).toEqual({
      removed: [file(2)],
      inUse: [],
      missing: [missing[1]],
    });
    const names = await readdir(join(directory, 'pool'));
    expect(names.filter((name) => name.startsWith(volumeId))).toEqual([file(4).fileName]);
    expect(await readdir(join(directory, 'consoles'))).toEqual([]);
  });
});
