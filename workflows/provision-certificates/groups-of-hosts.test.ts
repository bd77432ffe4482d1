import { childrenAtOnce, groupsOfHosts } from './groups-of-hosts.js';

it.each<[string, { hosts: number; byteLength: number; sizes: number[] }]>([
  ['no more than a history stands', { hosts: 120, byteLength: 1_000, sizes: [50, 50, 20] }],
  ['as many as can be told at once', { hosts: 70, byteLength: 14_000, sizes: [30, 30, 10] }],
  ['no fewer than are worth a workflow', { hosts: 25, byteLength: 130_000, sizes: [10, 10, 5] }],
])('should put into a group %s', (_, { hosts, byteLength, sizes }) => {
  const orders = Array.from({ length: hosts }, (__, n) => ({ hostId: `h-${n}`, hostName: `host-${n}` }));
  const groups = groupsOfHosts({ hosts: orders }, { byteLength });
  expect(groups.map(({ length }) => length)).toEqual(sizes);
  expect(groups.flat()).toEqual(orders);
});

it.each<[string, { certificates: number; byteLength: number; children: number }]>([
  ['twenty of what most zones have', { certificates: 20, byteLength: 14_000, children: 20 }],
  ['as many as one message has room for', { certificates: 200, byteLength: 190_000, children: 9 }],
  ['one, however much a zone has', { certificates: 1, byteLength: 3_000_000, children: 1 }],
])('should have at once %s', (_, { certificates, byteLength, children }) => {
  const named = Array.from({ length: certificates }, (__, n) => ({
    id: crypto.randomUUID(),
    alias: `authority-${n}`,
    fingerprint: 'f'.repeat(64),
  }));
  expect(childrenAtOnce({ certificates: named, hosts: [] }, { byteLength })).toBe(children);
});
