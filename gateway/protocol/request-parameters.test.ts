import { readParameters } from './request-parameters.js';

test('names are matched without regard to case, values are decoded, query and form count together', () => {
  const parameters = readParameters('Command=listZones&name=a%20b', 'KEYWORD=x+y&empty=');
  expect(parameters.get('command')).toBe('listZones');
  expect(parameters.get('NAME')).toBe('a b');
  expect(parameters.get('keyword')).toBe('x y');
  expect(parameters.get('empty')).toBe('');
  expect(parameters.get('absent')).toBeUndefined();
});

test('of a map only the first index counts, and keys keep their case and their dots', () => {
  const parameters = readParameters('details[1].b=2&Details[0].Key=1&details[0].a.b=3&details[x].c=4&detailsX[0].d=5');
  expect(parameters.getMap('details')).toEqual([
    ['Key', '1'],
    ['a.b', '3'],
  ]);
  expect(parameters.has('details')).toBe(true);
  expect(parameters.getMap('tags')).toEqual([]);
});

test('names of object internals are names like any other', () => {
  const parameters = readParameters('__proto__=x&constructor=y&details[0].__proto__=z');
  expect(parameters.get('__proto__')).toBe('x');
  expect(parameters.get('toString')).toBeUndefined();
  expect(parameters.getMap('details')).toEqual([['__proto__', 'z']]);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

it.each([
  ['a name given twice', ['id=1&ID=2'], 'Parameter ID is given more than once'],
  ['a name in query and form', ['id=1', 'id=1'], 'given more than once'],
  ['an ampersand in a name', ['a%26b=1'], 'characters that it may not have'],
  ['an equals sign in a name', ['a%3Db=1'], 'characters that it may not have'],
  ['a NUL in a value', ['name=a%00b'], 'value of parameter name has characters that are not printable'],
  ['an empty name', ['=1'], 'empty or longer'],
  ['a long name', [`${'n'.repeat(256)}=1`], 'empty or longer'],
  ['very many parameters', [Array.from({ length: 501 }, (_, index) => `p${index}=1`).join('&')], 'more than 500'],
])('refuses %s', (_what, texts, message) => {
  expect(() => readParameters(...texts)).toThrow(
    expect.objectContaining({ code: 'SLIPWAY_REQUEST_MALFORMED', message: expect.stringContaining(message) }),
  );
});
