import type { HostCandidate } from './rank-hosts.js';
import { rankReaders } from './rank-readers.js';

const pool = {
  poolId: 'pool',
  poolName: 'pool',
  status: 'Up',
  tags: [],
  problem: null,
  freeBytes: 0,
  overprovisioningFactor: 2,
  hasTemplate: false,
};

const host = (hostName: string, changes: Partial<HostCandidate> = {}): HostCandidate => ({
  hostId: hostName,
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
  cpuFreeMhz: 1000,
  ramFreeBytes: 1000,
  pools: [pool],
  ...changes,
});

const needs = { arch: 'x86_64', hostTags: [], cpuMhz: 500, ramBytes: 500 };
const namesOf = (hosts: { hostName: string }[]): string[] => hosts.map(({ hostName }) => hostName);

test('a pool that is full keeps no VM from its disk, and a host that does not reach it is no choice', () => {
  const { places, refused } = rankReaders(
    [host('full', { pools: [{ ...pool, freeBytes: -1 }] }), host('elsewhere', { pools: [] })],
    needs,
  );
  expect([namesOf(places), refused]).toEqual([['full'], []]);
});

test.each<[string, Partial<HostCandidate>]>([
  ['a pool that is gone there', { pools: [{ ...pool, problem: 'not mounted' }] }],
  ['a pool that takes nothing new', { pools: [{ ...pool, status: 'Disabled' }] }],
  ['too little memory', { ramFreeBytes: 499 }],
  ['another architecture', { arch: 'aarch64' }],
])('a host with %s is refused', (_, changes) => {
  const { places, refused } = rankReaders([host('host', changes)], needs);
  expect([places, namesOf(refused)]).toEqual([[], ['host']]);
});
