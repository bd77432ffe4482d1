import { SlipwayError } from '../../shared/errors.js';

/** More than any command has, and few enough that sorting them for a signature costs nothing. */
const MAX_PARAMETERS = 500;
/** Also keeps the names that error texts quote short. */
const MAX_NAME_LENGTH = 255;

/** The parameters of one request. Names are matched without regard to case, values are decoded. */
export interface RequestParameters {
  /** As given: a signature is computed over these. */
  readonly entries: readonly (readonly [name: string, value: string])[];
  get(name: string): string | undefined;
  /**
   * A map in CloudStack's form, `details[0].key=value`. Only the first index counts, as in CloudStack; the case of
   * keys is kept. Empty when nothing was given.
   */
  getMap(name: string): [key: string, value: string][];
  /** The same of every index, in order: for keys that may come several times. */
  getMaps(name: string): [key: string, value: string][];
  /** The same apart for each index, in order: for a list of things that have several keys each. */
  getRows(name: string): [key: string, value: string][][];
  /** A name under which a value was given that is no entry of the map, as `tags=colour`; undefined when there is none. */
  findOutsideMap(name: string): string | undefined;
  /** A name by which the parameter was given as a map or an array, as `id[0]`; undefined when there is none. */
  findIndexed(name: string): string | undefined;
  /** Whether the parameter was given in any form, as a map or with an empty value too. */
  has(name: string): boolean;
}

/**
 * Reads query strings and form bodies (application/x-www-form-urlencoded), taken together as CloudStack does.
 *
 * @throws SlipwayError SLIPWAY_REQUEST_MALFORMED
 */
export function readParameters(...texts: string[]): RequestParameters {
  const entries = texts.flatMap((text) => [...new URLSearchParams(text)]);
  if (entries.length > MAX_PARAMETERS) throw malformed(`The request has more than ${MAX_PARAMETERS} parameters`);
  // A Map: a parameter named __proto__ is a name like any other.
  const byName = new Map<string, string>();
  const indexed = new Map<string, string>();
  for (const [name, value] of entries) {
    checkName(name);
    const key = name.toLowerCase();
    // Two values for one name would let what was signed and what is done differ.
    if (byName.has(key)) throw malformed(`Parameter ${name} is given more than once`);
    if (hasControlCharacter(value)) {
      throw malformed(`The value of parameter ${name} has characters that are not printable`);
    }
    byName.set(key, value);
    if (key.includes('[')) indexed.set(key.slice(0, key.indexOf('[')), name);
  }
  return {
    entries,
    get: (name) => byName.get(name.toLowerCase()),
    getMap: (name) => firstIndexOf(mapEntries(entries, name)),
    getMaps: (name) =>
      mapEntries(entries, name)
        .sort((a, b) => a.index - b.index)
        .map(({ key, value }) => [key, value]),
    getRows: (name) => rowsOf(mapEntries(entries, name)),
    findIndexed: (name) => indexed.get(name.toLowerCase()),
    findOutsideMap(name) {
      const key = name.toLowerCase();
      const isOutside = ([given, value]: readonly [string, string]): boolean => {
        const lower = given.toLowerCase();
        if (lower === key) return value !== '';
        return lower.startsWith(`${key}[`) && mapEntries([[given, value]], name).length === 0;
      };
      return entries.find(isOutside)?.[0];
    },
    has: (name) => byName.has(name.toLowerCase()) || indexed.has(name.toLowerCase()),
  };
}

/**
 * The value of `response`. Read apart from the rest: a caller who asked for JSON gets errors about the other
 * parameters in JSON too.
 */
export const readFormat = (...texts: string[]): string | undefined =>
  texts.flatMap((text) => [...new URLSearchParams(text)]).find(([name]) => name.toLowerCase() === 'response')?.[1];

/**
 * Names stand unencoded in the string that is signed: with `&` or `=` in a name, one signed string would fit two
 * different requests.
 */
function checkName(name: string): void {
  if (name === '' || name.length > MAX_NAME_LENGTH) {
    throw malformed(`A parameter name is empty or longer than ${MAX_NAME_LENGTH} characters`);
  }
  if (/[&=]/.test(name) || hasControlCharacter(name))
    throw malformed('A parameter name has characters that it may not have');
}

/** All but tab and line ends, which a certificate or user data needs. PostgreSQL takes no NUL, XML none of them. */
const hasControlCharacter = (text: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text);

interface MapEntry {
  index: number;
  key: string;
  value: string;
}

function mapEntries(entries: RequestParameters['entries'], name: string): MapEntry[] {
  const prefix = `${name.toLowerCase()}[`;
  return entries.flatMap(([given, value]) => {
    if (!given.toLowerCase().startsWith(prefix)) return [];
    const match = /^(\d{1,9})\]\.(.+)$/s.exec(given.slice(prefix.length));
    return match ? [{ index: Number(match[1]), key: match[2]!, value }] : [];
  });
}

function firstIndexOf(entries: MapEntry[]): [string, string][] {
  const first = Math.min(...entries.map(({ index }) => index));
  return entries.filter(({ index }) => index === first).map(({ key, value }) => [key, value]);
}

function rowsOf(entries: MapEntry[]): [string, string][][] {
  const rows = new Map<number, [string, string][]>();
  for (const { index, key, value } of entries.toSorted((a, b) => a.index - b.index)) {
    rows.set(index, [...(rows.get(index) ?? []), [key, value]]);
  }
  return [...rows.values()];
}

const malformed = (message: string) => new SlipwayError('SLIPWAY_REQUEST_MALFORMED', message);
