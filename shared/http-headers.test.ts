import fc from 'fast-check';
import { checkHeaders, type HttpHeader, splitHeader } from './http-headers.js';

const SECRET = 'only-for-the-origin';

it.each<[string, string, HttpHeader]>([
  ['a line', 'X-Token:abc', ['X-Token', 'abc']],
  ['blanks around the value', 'X-Token: \t abc\t ', ['X-Token', 'abc']],
  ['colons in the value', 'Authorization: Bearer a:b:c', ['Authorization', 'Bearer a:b:c']],
  ['every character of a token', "!#$%&'*+-.^_`|~09azAZ:v", ["!#$%&'*+-.^_`|~09azAZ", 'v']],
  ['a blank and a tab inside', 'A: b \t c', ['A', 'b \t c']],
  ['a name that only begins like a reserved one', 'Range-Hint:1', ['Range-Hint', '1']],
  ['another user agent', 'User-Agent:curl/8', ['User-Agent', 'curl/8']],
])('takes %s', (_what, line, header) => {
  expect(checkHeaders([splitHeader(line)])).toEqual([header]);
});

it.each<[string, HttpHeader[], string]>([
  ['an empty name', [['', SECRET]], 'The name of HTTP header 1'],
  ['a blank in a name', [['X Token', SECRET]], 'The name of HTTP header 1'],
  ['a blank before the colon', [['X-Token ', SECRET]], 'The name of HTTP header 1'],
  ['a value where the name should be', [[`Bearer ${SECRET}`, 'x']], 'The name of HTTP header 1'],
  ['a colon in a name', [['a:b', SECRET]], 'The name of HTTP header 1'],
  ['a line end in a name', [['a\r\nb', SECRET]], 'The name of HTTP header 1'],
  ['letters beyond ASCII in a name', [['Tökén', SECRET]], 'The name of HTTP header 1'],
  ['a long name', [['n'.repeat(129), SECRET]], 'The name of HTTP header 1'],
  ['CR LF in a value', [['A', `${SECRET}\r\nHost: internal`]], 'The value of HTTP header A'],
  ['LF in a value', [['A', `${SECRET}\nX: y`]], 'The value of HTTP header A'],
  ['a line end behind a value', [['A', `${SECRET}\n`]], 'The value of HTTP header A'],
  ['a folded line', [['A', `${SECRET}\r\n more`]], 'The value of HTTP header A'],
  ['NUL in a value', [['A', `${SECRET}\0`]], 'The value of HTTP header A'],
  ['DEL in a value', [['A', `${SECRET}\u007f`]], 'The value of HTTP header A'],
  ['letters beyond ASCII in a value', [['A', `${SECRET}ö`]], 'The value of HTTP header A'],
  ['no value', [['A', ' \t']], 'HTTP header A has no value'],
  // Half a minute, were each blank looked at from each of them.
  ['blanks without end', [['A', `a${' '.repeat(250_000)}a`]], 'The value of HTTP header A is longer than 4096'],
  ['a long value', [['A', SECRET + 'v'.repeat(4096)]], 'The value of HTTP header A is longer than 4096'],
  [
    'a header twice, in another case',
    [
      ['a', SECRET],
      ['A', SECRET],
    ],
    'HTTP header A is given twice',
  ],
  ['33 headers', Array.from({ length: 33 }, (_, n) => [`A${n}`, SECRET] as HttpHeader), 'more than 32 HTTP headers'],
  [
    'much text in all',
    Array.from({ length: 3 }, (_, n) => [`A${n}`, SECRET + 'v'.repeat(4000)] as HttpHeader),
    'more than 8192 characters together',
  ],
])('refuses %s, and quotes no value', (_what, headers, message) => {
  const check = () => checkHeaders(headers);
  expect(check).toThrow(expect.objectContaining({ code: 'SLIPWAY_HEADER_INVALID' }));
  expect(check).toThrow(message);
  expect(check).not.toThrow(SECRET);
});

it('refuses a line without a colon, and does not quote it', () => {
  expect(() => splitHeader(SECRET)).toThrow(/^An HTTP header is not NAME:VALUE$/);
});

it.each(
  [
    ['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Keep-Alive', 'Range', 'If-Range', 'If-None-Match'],
    ['Accept-Encoding', 'TE', 'Trailer', 'Upgrade', 'Expect', 'HTTP2-Settings', 'Proxy-Authorization'],
    ['host', 'RANGE', 'proxy-connection'],
  ].flat(),
)('refuses %s, which is not for a template to say', (name) => {
  expect(() => checkHeaders([[name, 'v']])).toThrow(`HTTP header ${name} is Slipway's own to send`);
});

it('takes nothing that could end a line, whatever the text', () => {
  const unit = fc.constantFrom('a', ' ', '\t', '\r', '\n', '\0', ':', '\u0085', '\u2028', '\ud800', 'é');
  const text = fc.oneof(fc.string({ unit, maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 8 }));
  fc.assert(
    fc.property(text, text, (name, value) => {
      try {
        const [[takenName, takenValue]] = checkHeaders([[name, value]]) as [HttpHeader];
        expect(`${takenName}: ${takenValue}`).toMatch(/^[!-~]+: [!-~](?:[\t -~]*[!-~])?$/);
        // What is stored as one text comes back as the same two.
        expect(splitHeader(`${takenName}:${takenValue}`)).toEqual([takenName, takenValue]);
      } catch (error) {
        expect(error).toMatchObject({ code: 'SLIPWAY_HEADER_INVALID' });
      }
    }),
  );
});
