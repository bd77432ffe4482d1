import {
  boolean,
  date,
  integer,
  map,
  names,
  oneOf,
  type Parameter,
  required,
  string,
  stringOrEmpty,
  uuid,
  uuids,
  withDefault,
} from './parameters.js';
import { readParameters } from './request-parameters.js';
import { unsupported, withoutEffect } from './undone-parameters.js';

const ID = '11111111-aaaa-4111-8111-111111111111';
const read = (parameter: Parameter<unknown>, text: string) => parameter.read(readParameters(text), 'p', 'listthings');

it.each<[string, Parameter<unknown>, string, unknown]>([
  ['a string', string(''), 'p=a,b', 'a,b'],
  ['an absent string', string(''), 'q=1', undefined],
  ['an empty value', string(''), 'p=', undefined],
  ['a UUID in any case', uuid(''), `p=${ID.toUpperCase()}`, ID],
  ['a list', uuids(''), `p=${ID},%20${ID},`, [ID, ID]],
  ['an integer', integer(''), 'p=-12', -12],
  ['a boolean', boolean(''), 'p=TRUE', true],
  ['a false boolean', boolean(''), 'p=False', false],
  ['a word in any case', oneOf(['QCOW2', 'RAW'], ''), 'p=qcow2', 'QCOW2'],
  ['a default', withDefault(boolean(''), true), '', true],
  ['an empty text that counts', stringOrEmpty(''), 'p=', ''],
  ['a text that may be empty', stringOrEmpty(''), 'p=x', 'x'],
  ['one that was not given', stringOrEmpty(''), 'q=x', undefined],
  ['a map', map(''), 'p[0].k=v', [{ name: 'k', value: 'v' }]],
  ['an empty value of a map', map(''), 'p=&p[0].k=v&pq[x]=1', [{ name: 'k', value: 'v' }]],
  [
    'as many ids as a page has',
    uuids(''),
    `p=${Array.from({ length: 500 }, () => ID).join()}`,
    Array.from({ length: 500 }, () => ID),
  ],
])('reads %s', (_what, parameter, text, expected) => {
  expect(read(parameter, text)).toEqual(expected);
});

const invalid = (value: string) =>
  `Unable to execute API command listthings due to invalid value ${value} for parameter p`;

it.each<[string, Parameter<unknown>, string, string]>([
  ['a long string', string(''), `p=${'x'.repeat(256)}`, 'Value greater than max allowed length 255 for param: p'],
  [
    'a long one that may be empty',
    stringOrEmpty('', { maxLength: 4 }),
    'p=12345',
    'Value greater than max allowed length 4 for param: p',
  ],
  [
    'what is no UUID',
    uuid(''),
    'p=7',
    'Invalid parameter p value=7 due to incorrect long value format, or entity does not exist',
  ],
  ['a list with a wrong item', uuids(''), `p=${ID},x`, 'Invalid parameter p value=x'],
  ['a fraction', integer(''), 'p=1.5', invalid('1.5')],
  ['an integer of 33 bits', integer(''), 'p=2147483648', invalid('2147483648')],
  ['an integer below the least', integer('', { min: 1 }), 'p=0', invalid('0')],
  ['what is no boolean', boolean(''), 'p=yes', invalid('yes')],
  ['another word', oneOf(['QCOW2'], ''), 'p=OVA', invalid('OVA')],
  [
    'a missing parameter',
    required(string('')),
    '',
    'Unable to execute API command listthings due to missing parameter p',
  ],
  ['an empty one for a missing', required(string('')), 'p=', 'due to missing parameter p'],
  ['a map for an ID', uuid(''), `p[0].k=${ID}`, invalid('p[0].k')],
  ['an array for a list', uuids(''), `p[0]=${ID}`, invalid('p[0]')],
  ['an array for a text', string(''), 'P[]=x', invalid('P[]')],
  ['a text for a map', map(''), 'p=x', 'Parameter p is no entry of a map: give it as p[0].key=value'],
  ['a map without a key', map(''), 'p[0]=x', 'Parameter p[0] is no entry of a map'],
  ['a map with an index that is none', map(''), 'p[0].k=v&P[x].k=v', 'Parameter P[x].k is no entry of a map'],
  ['a name of a list that is long', names(''), `p=a,${'b'.repeat(256)}`, 'max allowed length 255 for param: p'],
  ['a map key that is no name', map(''), 'p[0].%3Ca%3E=v', invalid('<a>')],
  ['a map key with a prefix', map(''), 'p[0].x:y=v', invalid('x:y')],
  ['a map key of object internals', map(''), 'p[0].__proto__=v', invalid('__proto__')],
])('refuses %s with the text of CloudStack', (_what, parameter, text, message) => {
  expect(() => read(parameter, text)).toThrow(message);
});

test('a long value is not quoted whole in an error', () => {
  expect(() => read(integer('', { maxLength: 10_000 }), `p=${'x'.repeat(9_000)}`)).toThrow(/x{100}… for parameter p$/);
});

describe('parameters that are not supported yet', () => {
  const { p } = unsupported({ p: { type: 'string' } });
  const { p: flag } = unsupported({ p: { type: 'boolean' } });
  const { p: startvm } = unsupported({ p: { type: 'boolean', harmless: 'true' } });

  it.each<[string, Parameter<unknown>, string]>([
    ['absent', p, 'q=1'],
    ['empty', p, 'p='],
    ['a flag that is off', flag, 'p=False'],
    ['the value of what happens anyway', startvm, 'p=true'],
    ['no effect on the outcome', withoutEffect({ p: { type: 'boolean' } }).p, 'p=true'],
  ])('are accepted: %s', (_what, parameter, text) => {
    expect(read(parameter, text)).toBeUndefined();
  });

  it.each<[string, Parameter<unknown>, string]>([
    ['a value', p, 'p=1'],
    ['a map', p, 'p[0].k=1'],
    ['an array', p, 'P[]=1'],
    ['a flag that is on', flag, 'p=true'],
    ['another value than the harmless one', startvm, 'p=false'],
  ])('are refused: %s', (_what, parameter, text) => {
    expect(() => read(parameter, text)).toThrow('Slipway does not support parameter p yet');
  });
});

it.each([false, true])('what is no date is refused, as the end of a time (%s) too', (isEnd) => {
  for (const text of ['%25', 'undefined', '999', '2026-02-30']) {
    expect(() => read(date('', { isEnd }), `p=${text}`)).toThrow('due to invalid value');
  }
});
