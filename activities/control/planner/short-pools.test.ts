import type { HostCandidate, PlacementNeeds } from './rank-hosts.js';
import { shortPools } from './short-pools.js';

const needs: PlacementNeeds = {
  arch: 'x86_64',
  cpuMhz: 500,
  ramBytes: 1000,
  hostTags: [],
  storageTags: [],
  diskBytes: 20,
  templateBytes: 5,
};

const host = (pools: HostCandidate['pools'], changes: Partial<HostCandidate> = {}): HostCandidate => ({
  hostId: 'id',
  hostName: 'host',
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
  ramFreeBytes: 8000,
  pools,
  ...changes,
});

const pool = (poolId: string, freeBytes: number, changes = {}) => ({
  poolId,
  poolName: poolId,
  status: 'Up',
  tags: [],
  problem: null,
  freeBytes,
  overprovisioningFactor: 2,
  hasTemplate: false,
  ...changes,
});

describe('shortPools', () => {
  it('has pools that lack space, those that lack least first, each once', () => {
    const shared = pool('shared', 10, { hasTemplate: false });
    const hosts = [host([pool('far', 1), shared]), host([shared, pool('enough', 15)])];
    expect(shortPools(hosts, needs)).toEqual([
      { poolId: 'shared', lackingBytes: 5 },
      { poolId: 'far', lackingBytes: 14 },
    ]);
  });

  it('counts no space for a template that the pool has', () => {
    expect(shortPools([host([pool('has', 9, { hasTemplate: true })])], needs)).toEqual([
      { poolId: 'has', lackingBytes: 1 },
    ]);
  });

  it.each<[string, HostCandidate]>([
    ['whose host is Down', host([pool('a', 0)], { status: 'Down' })],
    ['whose host has too little memory', host([pool('a', 0)], { ramFreeBytes: 999 })],
    ['in maintenance', host([pool('a', 0, { status: 'Maintenance' })])],
  ])('has no pool %s: space would not help', (_, candidate) => {
    expect(shortPools([candidate], needs)).toEqual([]);
  });
});
