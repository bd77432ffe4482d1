import { macAddressOf, parseMacAddress } from './mac-address.js';

test('what is made up is local and for one receiver', () => {
  expect(macAddressOf(Uint8Array.of(0, 1, 16, 255, 9))).toBe('1e:00:01:10:ff:09');
});

test.each([
  ['1e:00:01:10:ff:09', '1e:00:01:10:ff:09'],
  ['52-54-00-AB-CD-EF', '52:54:00:ab:cd:ef'],
])('takes %s', (text, address) => expect(parseMacAddress(text)).toBe(address));

test.each([
  ['01:00:5e:00:00:01', 'not unicast'],
  ['ff:ff:ff:ff:ff:ff', 'not unicast'],
  ['fe:54:00:00:00:01', 'begins with fe'],
  ['00:00:00:00:00:00', 'not valid'],
  ['52:54:00:ab:cd', 'not valid'],
  ['52:54:00:ab:cd:ef:00', 'not valid'],
  ['52:54:00:ab:cd:eg', 'not valid'],
  ["52:54:00:ab:cd:ef'/>", 'not valid'],
])('refuses %s', (text, why) => expect(() => parseMacAddress(text)).toThrow(why));
