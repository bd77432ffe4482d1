/**
 * The strings that a client may have signed. CloudStack sorts by name, encodes values as Java does and lower-cases
 * everything; clients differ in two details without anybody noticing until a value has one of five characters.
 */
type Encode = (value: string) => string;

/** `encodeURIComponent` leaves five characters that all of the encodings below escape. */
const percent: Encode = (value) =>
  encodeURIComponent(value).replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);

const ENCODINGS: readonly Encode[] = [
  // Java's form encoding with `+` made `%20`: CloudStack itself.
  (value) => percent(value).replaceAll('~', '%7e'),
  // RFC 3986 with `*` kept: Python's quote(safe='*').
  percent,
  // RFC 3986: Go's QueryEscape.
  (value) => percent(value).replaceAll('*', '%2a'),
  // Python's quote(safe='[]*'): libcloud.
  (value) => percent(value).replace(/%5b/gi, '[').replace(/%5d/gi, ']'),
];

type Entry = readonly [name: string, value: string];

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const ORDERS: readonly ((left: Entry, right: Entry) => number)[] = [
  ([left], [right]) => compare(left, right),
  ([left], [right]) => compare(left.toLowerCase(), right.toLowerCase()),
];

/**
 * @param entries all parameters of the request as given; `signature` is left out here
 * @returns the distinct strings, most likely first; one for most requests
 */
export function canonicalStrings(entries: readonly Entry[]): string[] {
  const signed = entries.filter(([name]) => name.toLowerCase() !== 'signature');
  const strings = ORDERS.flatMap((order) => {
    const sorted = signed.toSorted(order);
    return ENCODINGS.map((encode) =>
      sorted
        .map(([name, value]) => `${name}=${encode(value)}`)
        .join('&')
        .toLowerCase(),
    );
  });
  return [...new Set(strings)];
}
