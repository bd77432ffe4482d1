import { createStrangerThrottle } from './stranger-throttle.js';

const refused = expect.objectContaining({ code: 'SLIPWAY_TOO_MANY_REQUESTS' }) as Error;

test('refuses an address that was wrong too often, and no other', () => {
  const strangers = createStrangerThrottle(2);
  const admit = (address: string) => () => strangers.admit(address, 'key');
  strangers.counts('192.0.2.1');
  expect(admit('192.0.2.1')).not.toThrow();
  strangers.counts('192.0.2.1');
  expect(admit('192.0.2.1')).toThrow(refused);
  expect(admit('192.0.2.2')).not.toThrow();
});

test('takes the addresses of one IPv6 network for one, and an IPv4 address for itself in either form', () => {
  const strangers = createStrangerThrottle(1);
  strangers.counts('2001:db8:1:2::1');
  strangers.counts('::ffff:192.0.2.1');
  expect(() => strangers.admit('2001:db8:1:2:ffff::9', undefined)).toThrow(refused);
  expect(() => strangers.admit('2001:db8:1:3::1', undefined)).not.toThrow();
  expect(() => strangers.admit('192.0.2.1', undefined)).toThrow(refused);
});

test('serves a key that was good from there, and from there only', () => {
  const strangers = createStrangerThrottle(1);
  strangers.knows('192.0.2.1', 'good');
  strangers.counts('192.0.2.1');
  strangers.counts('192.0.2.2');
  expect(() => strangers.admit('192.0.2.1', 'good')).not.toThrow();
  expect(() => strangers.admit('192.0.2.1', 'other')).toThrow(refused);
  expect(() => strangers.admit('192.0.2.2', 'good')).toThrow(refused);
});
