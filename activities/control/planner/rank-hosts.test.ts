import { type HostCandidate, type PlacementNeeds, type PoolCandidate, rankHosts } from './rank-hosts.js';

const GiB = 1024 ** 3;

const needs: PlacementNeeds = {
  arch: 'x86_64',
  cpuMhz: 500,
  ramBytes: 1 * GiB,
  hostTags: [],
  storageTags: [],
  diskBytes: 20 * GiB,
  templateBytes: 5 * GiB,
};

const pool: PoolCandidate = {
  poolId: 'pool',
  poolName: 'pool',
  status: 'Up',
  tags: [],
  problem: null,
  freeBytes: 100 * GiB,
  overprovisioningFactor: 2,
  hasTemplate: false,
};

function host(hostName: string, changes: Partial<HostCandidate> = {}): HostCandidate {
  return {
    hostId: `id-of-${hostName}`,
    hostName,
    clusterId: 'cluster',
    status: 'Up',
    resourceState: 'Enabled',
    zoneState: 'Enabled',
    podState: 'Enabled',
    clusterState: 'Enabled',
    arch: 'x86_64',
    tags: [],
    isDebtor: false,
    cpuFreeMhz: 4000,
    ramFreeBytes: 8 * GiB,
    pools: [{ ...pool, poolId: `pool-of-${hostName}` }],
    ...changes,
  };
}

const withPool = (changes: Partial<PoolCandidate>): Partial<HostCandidate> => ({ pools: [{ ...pool, ...changes }] });

describe('rankHosts', () => {
  it.each<[string, Partial<HostCandidate>, string]>([
    ['that is Down', { status: 'Down' }, 'is Down'],
    ['that cannot serve', { status: 'Alert' }, 'is Alert'],
    ['in maintenance', { resourceState: 'Maintenance' }, 'is in resource state Maintenance'],
    ['of a disabled zone', { zoneState: 'Disabled' }, 'is in a zone that is Disabled'],
    ['of a disabled pod', { podState: 'Disabled' }, 'is in a pod that is Disabled'],
    ['of a disabled cluster', { clusterState: 'Disabled' }, 'is in a cluster that is Disabled'],
    ['of another architecture', { arch: 'aarch64' }, 'is aarch64, and the template is x86_64'],
    ['that has to undo a try first', { isDebtor: true }, 'has yet to undo an earlier try'],
    ['without enough CPU', { cpuFreeMhz: 499 }, 'has 499 MHz free, and 500 are needed'],
    ['without enough memory', { ramFreeBytes: GiB - 1 }, 'has 1023 MiB of memory free, and 1024 are needed'],
    [
      'that has promised more than a lowered factor allows',
      { ramFreeBytes: -5 * GiB },
      'has 0 MiB of memory free, and 1024 are needed',
    ],
    [
      'of a cluster that may promise little more CPU',
      { clusterRoom: { cpuMhz: 499.5, ramBytes: 8 * GiB } },
      'is in a cluster that may promise no more than 499 MHz, and 500 are needed',
    ],
    [
      'of a cluster that has promised too much memory',
      { clusterRoom: { cpuMhz: 500, ramBytes: -GiB } },
      'is in a cluster that may promise no more than 0 MiB of memory, and 1024 are needed',
    ],
    ['without a pool', { pools: [] }, 'has no primary storage pool'],
    ['whose pool is in maintenance', withPool({ status: 'Maintenance' }), 'pool pool is in state Maintenance'],
    [
      'whose pool is about to be',
      withPool({ status: 'PrepareForMaintenance' }),
      'pool pool is in state PrepareForMaintenance',
    ],
    ['whose pool is gone', withPool({ problem: 'not mounted' }), 'pool pool cannot be used there: not mounted'],
    [
      'whose pool is too full',
      withPool({ freeBytes: 15 * GiB - 1 }),
      'pool pool has 15359 MiB free, and 15360 are needed',
    ],
    [
      'whose pool is too full beside the template',
      withPool({ freeBytes: 10 * GiB - 1, hasTemplate: true }),
      'pool pool has 10239 MiB free, and 10240 are needed',
    ],
    [
      'with several pools, each with its reason',
      {
        pools: [
          { ...pool, poolName: 'a', status: 'Maintenance' },
          { ...pool, poolName: 'b', freeBytes: -1 },
        ],
      },
      'pool a is in state Maintenance; pool b has 0 MiB free, and 15360 are needed',
    ],
  ])('refuses a host %s, and says why', (_, changes, reason) => {
    const { places, refused } = rankHosts([host('a', changes)], needs);
    expect(places).toEqual([]);
    expect(refused).toMatchObject([{ hostId: 'id-of-a', hostName: 'a', reason }]);
  });

  it.each<[string, Partial<HostCandidate>, true | undefined]>([
    ['that is Down and would fit', { status: 'Down' }, true],
    ['that is Alert and would fit', { status: 'Alert' }, true],
    ['that is Down and too small', { status: 'Down', ramFreeBytes: 0 }, undefined],
    ['that is Down and Disabled', { status: 'Down', resourceState: 'Disabled' }, undefined],
    ['that is Down, and whose pool is too full', { status: 'Down', ...withPool({ freeBytes: 0 }) }, undefined],
    ['that is Up and full', { ramFreeBytes: 0 }, undefined],
    ['that was removed', { status: 'Removed' }, undefined],
  ])('tells of a host %s whether it is worth waiting for', (_, changes, isAway) => {
    expect(rankHosts([host('a', changes)], needs).refused[0]!.isAway).toBe(isAway);
  });

  it.each<[string, string[], string[], string | undefined]>([
    ['no tag is asked for', [], ['ssd'], undefined],
    ['it has all that are asked for', ['ssd', 'gpu'], ['gpu', 'fast', 'ssd'], undefined],
    ['it has none', ['ssd'], [], 'tag ssd of'],
    ['some are missing', ['ssd', 'gpu', 'hot'], ['gpu'], 'tags ssd, hot of'],
    ['it only resembles one', ['ssd'], ['SSD', 'ssd2'], 'tag ssd of'],
  ])('goes by the tags of hosts and of pools: %s', (_, asked, tags, reason) => {
    const byHost = rankHosts([host('a', { tags })], { ...needs, hostTags: asked });
    const byPool = rankHosts([host('a', withPool({ tags }))], { ...needs, storageTags: asked });
    expect([byHost.places.length, byPool.places.length]).toEqual(reason ? [0, 0] : [1, 1]);
    if (!reason) return;
    expect(byHost.refused[0]!.reason).toBe(`does not have the host ${reason} the service offering`);
    expect(byPool.refused[0]!.reason).toBe(`pool pool does not have the storage ${reason} the service offering`);
  });

  it.each([
    ['with the template', { freeBytes: 10 * GiB, hasTemplate: true }],
    ['and gets the template', { freeBytes: 15 * GiB, hasTemplate: false }],
  ])('takes a host that fits to the last byte %s', (_, pool) => {
    const exact = host('a', { cpuFreeMhz: 500, ramFreeBytes: 1 * GiB, ...withPool(pool) });
    expect(rankHosts([exact], needs).places).toHaveLength(1);
  });

  it('prefers a pool that has the template to a host with more free memory', () => {
    const { places } = rankHosts(
      [host('roomy', { ramFreeBytes: 64 * GiB }), host('warm', withPool({ hasTemplate: true }))],
      needs,
    );
    expect(places.map(({ hostName }) => hostName)).toEqual(['warm', 'roomy']);
  });

  it.each<[string, Partial<HostCandidate>]>([
    ['memory', { ramFreeBytes: 7 * GiB }],
    ['CPU', { cpuFreeMhz: 3499 }],
  ])('spreads: the host where more such VMs fit comes first, by %s', (_, changes) => {
    const { places } = rankHosts([host('a', changes), host('b')], needs);
    expect(places.map(({ hostName }) => hostName)).toEqual(['b', 'a']);
  });

  it.each([
    ['b', [0.9, 0.1]],
    ['a', [0.1, 0.9]],
  ])('draws among hosts that differ by less than a VM: %s comes first', (first, draws) => {
    const { places } = rankHosts([host('a', { ramFreeBytes: 8.5 * GiB }), host('b')], needs, () => draws.shift()!);
    expect(places[0]!.hostName).toBe(first);
  });

  it('prefers the roomier of the pools of a host', () => {
    const pools = [
      { ...pool, poolId: 'small', freeBytes: 20 * GiB },
      { ...pool, poolId: 'large' },
    ];
    expect(rankHosts([host('a', { pools })], needs).places.map(({ poolId }) => poolId)).toEqual(['large', 'small']);
  });

  it('spreads a thousand VMs evenly over fifty equal hosts, each seeing what the one before left', () => {
    const hosts = Array.from({ length: 50 }, (_, n) => host(`${n}`, { ramFreeBytes: 64 * GiB, cpuFreeMhz: 64_000 }));
    for (let placed = 0; placed < 1000; placed++) {
      const { hostId } = rankHosts(hosts, needs).places[0]!;
      hosts.find((candidate) => candidate.hostId === hostId)!.ramFreeBytes -= needs.ramBytes;
    }
    expect(hosts.map(({ ramFreeBytes }) => ramFreeBytes)).toEqual(hosts.map(() => 44 * GiB));
  });
});
