import { describeHostFailures, type HostFailure, shortReason } from './failures.js';

const failed = (hostName: string, message: string): HostFailure => ({
  hostId: hostName,
  hostName,
  code: 'SLIPWAY_SOURCES_EXHAUSTED',
  message,
});

test('every host is named with its reason', () => {
  expect(describeHostFailures([failed('a', 'no route'), failed('b', 'full')])).toBe('a: no route\nb: full');
});

test('what a stranger makes long is cut, and whole characters are left', () => {
  expect(shortReason('x'.repeat(4_000))).toHaveLength(4_000);
  const odd = shortReason(`x${'😀'.repeat(3_000)}`);
  expect(odd).toBe(`x${'😀'.repeat(1_999)} … and 2002 characters more`);
});

test('the text of a thousand hosts with long reasons fits into a payload of Temporal', () => {
  const hosts = Array.from({ length: 1_000 }, (_, index) => failed(`host-${index}`, 'x'.repeat(100_000)));
  expect(Buffer.byteLength(describeHostFailures(hosts))).toBeLessThan(300_000);
});
