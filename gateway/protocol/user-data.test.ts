import { parseUserData } from './user-data.js';

const text = '#cloud-config\npassword: s3cret?>~\n';
const base64 = Buffer.from(text).toString('base64');

test.each([
  ['plain base64', base64],
  ['base64 without padding', base64.replace(/=+$/, '')],
  ['base64 for URLs', Buffer.from(text).toString('base64url')],
  ['base64 on several lines', base64.replace(/(.{10})/g, '$1\r\n')],
])('takes %s', (_what, given) => expect(parseUserData(given)).toBe(base64));

test.each([
  ['what is no base64', '#cloud-config', 'User data is not base64 encoded'],
  ['text with a space', '#cloud config', 'User data is not base64 encoded'],
  ['half a byte', 'QUJDR', 'User data is not base64 encoded'],
  ['bits behind the last byte', 'QUJDRF==', 'User data is not base64 encoded'],
  ['a plus that became a space', 'ab cdefg', 'encode each + of the base64 as %2B'],
  ['more than the most', Buffer.alloc(32_769).toString('base64'), 'User data is too long: at most 32768 bytes'],
  // Half a minute, were each of them looked at from each of them.
  ['padding without end', `${'='.repeat(250_000)}x`, 'User data is not base64 encoded'],
  ['padding alone', '==', 'User data is too short'],
])('refuses %s', (_what, given, message) => expect(() => parseUserData(given)).toThrow(message));
