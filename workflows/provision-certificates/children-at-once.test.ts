import { childrenAtOnce } from './children-at-once.js';

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
