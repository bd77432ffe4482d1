import { execFileSync } from 'node:child_process';
import { readParameters } from '../protocol/request-parameters.js';
import { expiresSoon, isExpired, isSignedWith } from './signature.js';

const SECRET = 'dGhlIHNlY3JldC1rZXlfMTIz';

/** By another route than the code under test: openssl over a string that was written by hand. */
const signedByHand = (canonical: string): string =>
  encodeURIComponent(
    execFileSync('openssl', ['dgst', '-sha1', '-hmac', SECRET, '-binary'], { input: canonical }).toString('base64'),
  );

const isValid = (query: string, canonical: string): boolean =>
  isSignedWith(SECRET, readParameters(`${query}&signature=${signedByHand(canonical)}`));

test('the example of the CloudStack developer guide has its signature', () => {
  const secret = 'VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ';
  const apiKey = 'plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg';
  const query = `apikey=${apiKey}&command=listUsers&response=json`;
  expect(isSignedWith(secret, readParameters(`${query}&signature=TTpdDq%2F7j%2FJ58XCRHomKoQXEQds%3D`))).toBe(true);
});

/** As these clients sent them, with a value and a map of what is encoded in different ways. */
const SENT: [client: string, parameters: string][] = [
  [
    'cs 5.2.0',
    'name=a~b%2Ac+d%2Be%27%28%21%29%2F%C3%A9%5Bx%5D%25%26%3D%3C%C3%BC%3E&zoneids=1%2C2&Keyword=Z&command=listZones&apiKey=Key-1_x&response=json&signatureVersion=3&expires=2026-11-27T07%3A42%3A27%2B0000&details%5B0%5D.HTTP_HEADER%3AX-A=b+c&details%5B0%5D.k=v&signature=ggULD4e80mVoYNvuHZ7YX7sPphI%3D',
  ],
  [
    'libcloud 3.9.1',
    'name=a~b%2Ac+d%2Be%27%28%21%29%2F%C3%A9%5Bx%5D%25%26%3D%3C%C3%BC%3E&details%5B0%5D.key=b+c&Keyword=Z&command=listZones&apiKey=Key-1_x&response=json&signature=9XA30fUf6yWy%2BpRAVlQ0Ogds1hg%3D',
  ],
  [
    'cloudstack-go 2.17.1, in the query',
    'apiKey=Key-1_x&command=listZones&expires=2026-11-27T07%3A47%3A28Z&keyword=Z&name=a~b*c%20d%2Be%27%28%21%29%2F%C3%A9%5Bx%5D%25%26%3D%3C%C3%BC%3E&response=json&signatureversion=3&tags[0].key=b%20c&tags[0].value=d*&signature=DoOhEU2GJ%2Fy%2F45o1YcW3NZcbhoI%3D',
  ],
  [
    'cloudstack-go 2.17.1, in a form',
    'apiKey=Key-1_x&command=deployVirtualMachine&expires=2026-11-27T07%3A47%3A28Z&name=a~b%2Ac+d%2Be%27%28%21%29%2F%C3%A9%5Bx%5D%25%26%3D%3C%C3%BC%3E&response=json&serviceofferingid=1&signature=xN0mfjoeVVLEm1kP%2F7VT%2BirduWk%3D&signatureversion=3&templateid=2&zoneid=3',
  ],
];

it.each(SENT)('accepts what %s has signed, and nothing else', (_client, sent) => {
  expect(readParameters(sent).get('name')).toBe("a~b*c d+e'(!)/é[x]%&=<ü>");
  expect(isSignedWith(SECRET, readParameters(sent))).toBe(true);
  const others = [
    sent.replace('Key-1_x', 'Key-1_y'),
    sent.replace('a~b', 'a~c'),
    sent.replace('%25', '%26'),
    `${sent}&id=1`,
  ];
  for (const other of others) expect(isSignedWith(SECRET, readParameters(other))).toBe(false);
});

it.each([
  ['Java: ~ escaped, * kept', 'name=a~b%2Ac%20d&apiKey=K', 'apikey=k&name=a%7eb*c%20d'],
  ['Python: ~ and * kept', 'name=a~b%2Ac&apiKey=K', 'apikey=k&name=a~b*c'],
  ['Go: ~ kept, * escaped', 'name=a~b%2Ac&apiKey=K', 'apikey=k&name=a~b%2ac'],
  ['libcloud: brackets kept', 'name=%5Ba%5D&apiKey=K', 'apikey=k&name=[a]'],
  ['names sorted as written', 'apikey=K&Zone=z&name=n', 'zone=z&apikey=k&name=n'],
  ['names sorted in lower case', 'apikey=K&Zone=z&name=n', 'apikey=k&name=n&zone=z'],
  [
    'a plus for a blank, other characters escaped',
    "name=a+b'(!)%C3%A9%2B%2F&apikey=K",
    'apikey=k&name=a%20b%27%28%21%29%c3%a9%2b%2f',
  ],
  ['a map', 'details%5B0%5D.Key=V&apikey=K', 'apikey=k&details[0].key=v'],
  ['an empty value', 'name=&apikey=K', 'apikey=k&name='],
])('accepts what clients sign: %s', (_what, query, canonical) => {
  expect(isValid(query, canonical)).toBe(true);
});

it.each([
  ['another value', 'apikey=K&name=x', 'apikey=k&name=y'],
  ['a parameter that was not signed', 'apikey=K&name=x&id=1', 'apikey=k&name=x'],
  ['a signed parameter that is missing', 'apikey=K', 'apikey=k&name=x'],
])('refuses %s', (_what, query, canonical) => {
  expect(isValid(query, canonical)).toBe(false);
});

it.each([
  ['none', 'apikey=K'],
  ['an empty one', 'apikey=K&signature='],
  ['a short one', 'apikey=K&signature=AAAA'],
  ['the one of another key', `apikey=K&signature=${encodeURIComponent('xnPLRM1KqTKrRFUFXQpEHTbAjTw=')}`],
])('refuses a signature that is %s', (_what, query) => {
  expect(isSignedWith(SECRET, readParameters(query))).toBe(false);
});

const NOW = Date.parse('2025-06-01T12:00:00Z');

it.each([
  ['a request of version 1', 'expires=2000-01-01T00:00:00%2B0000', false],
  ['a time to come', 'signatureversion=3&expires=2025-06-01T12:00:01%2B0000', false],
  ['a time to come, with another offset', 'signatureversion=3&expires=2025-06-01T13:59:00%2B0200', true],
  ['a time to come, as ISO 8601 has it', 'signatureVersion=3&Expires=2025-06-01T12:10:00.000Z', false],
  ['this very moment', 'signatureversion=3&expires=2025-06-01T12:00:00%2B0000', true],
  ['a missing time', 'signatureversion=3', true],
  ['what is no time', 'signatureversion=3&expires=tomorrow', true],
])('%s expires rightly', (_what, query, expected) => {
  expect(isExpired(readParameters(query), NOW)).toBe(expected);
});

it.each([
  ['a request of version 1', 'expires=2025-06-01T12:01:00%2B0000', false],
  ['a quarter of an hour', 'signatureversion=3&expires=2025-06-01T12:15:00%2B0000', true],
  ['a second more', 'signatureversion=3&expires=2025-06-01T12:15:01%2B0000', false],
  ['a missing time', 'signatureversion=3', false],
])('%s expires soon or not', (_what, query, expected) => {
  expect(expiresSoon(readParameters(query), NOW)).toBe(expected);
});

/** By the key that it was signed with, at this very length; base64 of 20 bytes. */
const GOOD = signedByHand('apikey=k&name=x');

it.each([
  ['cut off in the middle', decodeURIComponent(GOOD).slice(0, 14)],
  ['one character short', decodeURIComponent(GOOD).slice(0, -2)],
  ['longer than it is', `AAAA${decodeURIComponent(GOOD)}`],
  ['in another case', decodeURIComponent(GOOD).toUpperCase()],
])('refuses a good signature that is %s', (_what, signature) => {
  const query = `apikey=K&name=x&signature=${encodeURIComponent(signature)}`;
  expect(isSignedWith(SECRET, readParameters(query))).toBe(false);
});

it.each([
  ['kept', 'a+b', 'a%20b'],
  ['escaped', 'a%2Bb', 'a%2bb'],
])('tells a plus that is %s from the other', (_what, given, signed) => {
  expect(isValid(`apikey=K&name=${given}`, `apikey=k&name=${signed}`)).toBe(true);
  expect(isValid(`apikey=K&name=${given}`, `apikey=k&name=${signed === 'a%20b' ? 'a%2bb' : 'a%20b'}`)).toBe(false);
});

test('the time of a request is signed with it: one that was heard is not given more', () => {
  const canonical = 'apikey=k&command=listzones&expires=2025-06-01t12%3a00%3a00%2b0000&signatureversion=3';
  const request = (expires: string) => `apiKey=K&command=listZones&signatureVersion=3&expires=${expires}%2B0000`;
  expect(isValid(request('2025-06-01T12:00:00'), canonical)).toBe(true);
  expect(isValid(request('2025-06-01T13:00:00'), canonical)).toBe(false);
  // Without the version it would not expire at all.
  expect(isValid('apiKey=K&command=listZones&expires=2025-06-01T12:00:00%2B0000', canonical)).toBe(false);
});
