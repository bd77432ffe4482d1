import { type HostCandidate, type PlacementNeeds, rankHosts } from './rank-hosts.js';

const GiB = 1024 ** 3;

const needs: PlacementNeeds = {
  arch: 'x86_64',
  cpuMhz: 500,
  ramBytes: 1 * GiB,
  diskBytes: 20 * GiB,
  templateBytes: 5 * GiB,
  overprovisioningFactor: 2,
};

function host(hostName: string, changes: Partial<HostCandidate> = {}): HostCandidate {
  return {
    hostId: `id-of-${hostName}`,
    hostName,
    status: 'Up',
    resourceState: 'Enabled',
    arch: 'x86_64',
    cpuFreeMhz: 4000,
    ramFreeBytes: 8 * GiB,
    pools: [{ poolId: `pool-of-${hostName}`, status: 'Up', freeBytes: 100 * GiB, hasTemplate: false }],
    ...changes,
  };
}

const withPool = (changes: Partial<HostCandidate['pools'][number]>): Partial<HostCandidate> => ({
  pools: [{ poolId: 'pool', status: 'Up', freeBytes: 100 * GiB, hasTemplate: false, ...changes }],
});

describe('rankHosts', () => {
  it.each<[string, Partial<HostCandidate>, RegExp]>([
    ['that is Down', { status: 'Down' }, /is Down/],
    ['in maintenance', { resourceState: 'Maintenance' }, /resource state Maintenance/],
    ['of another architecture', { arch: 'aarch64' }, /is aarch64/],
    ['without enough CPU', { cpuFreeMhz: 499 }, /499 MHz free/],
    ['without enough memory', { ramFreeBytes: 1 * GiB - 1 }, /1023 MiB of memory free/],
    ['without a pool', { pools: [] }, /none of its pools/],
    ['whose pool is in maintenance', withPool({ status: 'Maintenance' }), /none of its pools/],
    ['whose pool is too full', withPool({ freeBytes: 15 * GiB - 1 }), /none of its pools/],
    ['whose pool is too full beside the template', withPool({ freeBytes: 10 * GiB - 1, hasTemplate: true }), /none of/],
  ])('refuses a host %s, and says why', (_, changes, reason) => {
    const { places, refused } = rankHosts([host('a', changes)], needs);
    expect(places).toEqual([]);
    expect(refused).toEqual([{ hostId: 'id-of-a', hostName: 'a', reason: expect.stringMatching(reason) as string }]);
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

  it('spreads: the host with the most free memory comes first', () => {
    const { places } = rankHosts([host('a'), host('b', { ramFreeBytes: 9 * GiB })], needs);
    expect(places.map(({ hostName }) => hostName)).toEqual(['b', 'a']);
  });

  it('is deterministic among equals', () => {
    const { places } = rankHosts([host('b'), host('a')], needs);
    expect(places.map(({ hostName }) => hostName)).toEqual(['a', 'b']);
  });
});
