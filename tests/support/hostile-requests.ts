import fc from 'fast-check';
import type { Command } from '../../gateway/commands/define-command.js';
import type { Parameter } from '../../gateway/protocol/parameters.js';

/** One `name=value`, percent-encoded, well or not. */
export type Pair = string;

/** Half a pair of surrogates cannot be encoded. */
export const wellFormed = (text: string): string => text.toWellFormed();

const encode = (text: string): string => encodeURIComponent(wellFormed(text));

/** What no parameter's author thought of, encoded. */
const hostileValue: fc.Arbitrary<string> = fc.oneof(
  fc
    .constantFrom(
      '',
      ' ',
      '-1',
      '0',
      '1e309',
      '0x10',
      '2147483648',
      '-9223372036854775809',
      '99999999999999999999',
      'NaN',
      'null',
      'undefined',
      'true',
      'TRUE ',
      '1,2,3',
      ',,,',
      '%',
      '_%_%',
      '\\',
      "'; drop table account; --",
      "1' or '1'='1",
      '$1',
      '${7*7}',
      '<x a="1">&amp;]]>',
      '{"a":[1]}',
      '[]',
      '../../etc/passwd',
      '`id`',
      'http://[::1',
      'http://user:@/x',
      'https://images.example/a b',
      'file:///etc/passwd',
      'nfs://',
      '2026-02-30',
      '0000-00-00',
      '9999-12-31T23:59:59+9999',
      '275760-09-13',
      '2026-01-01 00:00:00',
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '__proto__',
      'constructor',
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      'ssh-rsa AAAA',
      '{MD5}',
      '{SHA-256}zz',
      '\u202e\u200b\ufeff',
      'é\u0301',
      '👩‍👩‍👧‍👦',
      '\n\r\t',
    )
    .map(encode),
  // Broken, overlong and forbidden encodings; NUL and other control characters; a lone surrogate.
  fc.constantFrom(
    '%',
    '%zz',
    '%E2%28',
    '%C0%AF',
    '%ED%A0%80',
    '%F4%90%80%80',
    '%00',
    'a%00b',
    '%0b',
    '%7f',
    '+',
    '%2B',
    '=',
    '%26',
    ';',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }).map(encode),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map(encode),
  fc.constantFrom(256, 4_097, 65_536).map((length) => 'x'.repeat(length)),
  fc.constantFrom(300, 3_000).map((count) => Array.from({ length: count }, (_, index) => index).join('%2C')),
  fc.uuid(),
);

/** A name in the forms that scalars, lists and maps have, and in some that nothing has. */
const hostileName = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(name) },
    fc.constantFrom(
      name.toUpperCase(),
      `${name}[0].key`,
      `${name}[0]`,
      `${name}[]`,
      `${name}.key`,
      `${name}[-1].key`,
      `${name}[999999999].a`,
      `${name}[0].__proto__`,
      `${name}[0].HTTP_HEADER%3AX`,
      `${name}[0].`,
      `${name}[0].${'k'.repeat(200)}`,
      `${name}%00`,
      `${name}%20`,
    ),
  );

const PLAUSIBLE: Record<string, readonly string[]> = {
  format: ['QCOW2', 'RAW'],
  hypervisor: ['KVM'],
  url: ['http://images.example/x.qcow2', 'https://images.example/x.metalink'],
  templatefilter: ['self', 'all', 'executable'],
  name: ['x', 'web-1', 'expunge.delay'],
  value: ['1', 'true', 'x'],
};

/** A value that gets a call further: most handlers are behind the reading of their parameters. */
function plausibleValue(name: string, { type }: Parameter<unknown>, idsOf: IdsOf): fc.Arbitrary<string> {
  const known = PLAUSIBLE[name];
  if (known) return fc.constantFrom(...known);
  switch (type) {
    case 'uuid':
      return fc.constantFrom(...idsOf(name));
    case 'boolean':
      return fc.constantFrom('true', 'false');
    case 'integer':
    case 'long':
      return fc.constantFrom('1', '2', '512');
    case 'date':
      return fc.constant('2026-01-01');
    default:
      return fc.constantFrom('x', 'Enable', 'a,b');
  }
}

/** Ids that a parameter of this name may be meant for; at least one. */
export type IdsOf = (parameter: string) => readonly string[];

/**
 * Parameters of a call: some that fit, so that it gets somewhere, and some that do not.
 *
 * @example fc.sample(hostilePairs(findCommand('listZones')!, () => [randomUUID()]))
 */
export function hostilePairs(command: Command, idsOf: IdsOf): fc.Arbitrary<Pair[]> {
  const declared = Object.entries(command.params);
  const plausible = declared.map(([name, parameter]) =>
    fc.tuple(fc.constant(name), plausibleValue(name, parameter, idsOf)),
  );
  const isNeeded = (name: string): boolean => command.params[name]!.isRequired;
  const dice = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: declared.length, maxLength: declared.length });
  const fitting = fc
    .tuple(fc.tuple(...plausible), dice)
    .map(([values, thrown]) => values.filter(([name], index) => isNeeded(name) || thrown[index] === 0));
  const name = fc.constantFrom(...declared.map(([declaredName]) => declaredName), 'undeclared');
  const hostile = fc.array(
    name.chain((wanted) => fc.tuple(fc.constant(wanted), hostileName(wanted), hostileValue)),
    { minLength: 1, maxLength: 3 },
  );
  const repeats = fc.integer({ min: 0, max: 19 }).map((die) => die === 0);
  return fc.tuple(fitting, hostile, repeats).map(([fits, attacks, isRepeated]) => {
    const replaced = new Set(isRepeated ? [] : attacks.map(([wanted]) => wanted));
    return [
      ...fits.filter(([wanted]) => !replaced.has(wanted)).map(([wanted, value]) => `${wanted}=${encode(value)}`),
      ...attacks.map(([, given, value]) => `${given}=${value}`),
    ];
  });
}
