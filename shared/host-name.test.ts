import { isHostName, isNewHostName } from './host-name.js';

it.each<[string, { name: boolean; newName: boolean }]>([
  ['host-1', { name: true, newName: true }],
  ['kvm_1.rack-2.example', { name: true, newName: true }],
  ['x'.repeat(64), { name: true, newName: false }],
  ['KVM host 1 (rack 2)', { name: true, newName: false }],
  ['Rechner Süd/3', { name: true, newName: false }],
  ['主机', { name: true, newName: false }],
  ['host-', { name: true, newName: false }],
  ['x'.repeat(256), { name: false, newName: false }],
  ['', { name: false, newName: false }],
  ['   ', { name: false, newName: false }],
  ['\u00a0', { name: false, newName: false }],
  ['a\nb', { name: false, newName: false }],
  ['a\u0000b', { name: false, newName: false }],
  ['a\u2028b', { name: false, newName: false }],
  ['host-\u202e1', { name: false, newName: false }],
  ['host-\u200b1', { name: false, newName: false }],
  ['a\ud800', { name: false, newName: false }],
])('the name %j of a host: %o', (text, expected) => {
  expect({ name: isHostName(text), newName: isNewHostName(text) }).toEqual(expected);
});
