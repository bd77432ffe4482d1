import { SlipwayError } from './errors.js';

/** Name and value of a request header. The value is a secret. */
export type HttpHeader = [name: string, value: string];

const MAX_HEADERS = 32;
const MAX_NAME_LENGTH = 128;
export const MAX_HEADER_VALUE_LENGTH = 4096;
/** Common servers refuse a request whose head is longer. */
const MAX_TOTAL_LENGTH = 8192;

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/**
 * RFC 9110, 5.5, in ASCII: servers do not agree about the encoding of anything else. A line end would be a header, or a
 * request, that nobody has checked.
 */
const FIELD_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * What the client itself says on a connection, and what would make the answer another one than the file: conditions
 * (`If-*`), and credentials for a proxy, which are not the origin's.
 */
const RESERVED_NAME =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|range|accept-encoding|te|trailer|upgrade|expect|http2-settings|if-.*|proxy-.*)$/i;

/**
 * Splits `NAME:VALUE` at the first colon.
 *
 * @throws SlipwayError SLIPWAY_HEADER_INVALID
 */
export function splitHeader(line: string): HttpHeader {
  const colon = line.indexOf(':');
  if (colon < 0) throw invalid('An HTTP header is not NAME:VALUE');
  return [line.slice(0, colon), line.slice(colon + 1)];
}

/**
 * Checks the headers of one template, and takes the blanks around values away (RFC 9110, 5.5).
 *
 * @throws SlipwayError SLIPWAY_HEADER_INVALID, which never quotes a value, nor what may be one by mistake
 */
export function checkHeaders(headers: readonly HttpHeader[]): HttpHeader[] {
  if (headers.length > MAX_HEADERS) throw invalid(`There are more than ${MAX_HEADERS} HTTP headers`);
  const names = new Set<string>();
  const checked = headers.map(([name, given], index): HttpHeader => {
    if (name.length > MAX_NAME_LENGTH || !TOKEN.test(name)) {
      throw invalid(
        `The name of HTTP header ${index + 1} is longer than ${MAX_NAME_LENGTH} characters or has one it may not have`,
      );
    }
    if (RESERVED_NAME.test(name)) throw invalid(`HTTP header ${name} is Slipway's own to send`);
    if (names.has(name.toLowerCase())) throw invalid(`HTTP header ${name} is given twice`);
    names.add(name.toLowerCase());
    // Before the blanks are looked for: from each of many that no end follows, all others would be looked at.
    if (given.length > MAX_HEADER_VALUE_LENGTH) {
      throw invalid(`The value of HTTP header ${name} is longer than ${MAX_HEADER_VALUE_LENGTH} characters`);
    }
    const value = given.replace(/^[\t ]+|[\t ]+$/g, '');
    if (value === '') throw invalid(`HTTP header ${name} has no value`);
    if (!FIELD_VALUE.test(value)) {
      throw invalid(`The value of HTTP header ${name} has characters other than printable ASCII`);
    }
    return [name, value];
  });
  const totalLength = checked.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (totalLength > MAX_TOTAL_LENGTH) {
    throw invalid(`The HTTP headers have more than ${MAX_TOTAL_LENGTH} characters together`);
  }
  return checked;
}

const invalid = (message: string): SlipwayError => new SlipwayError('SLIPWAY_HEADER_INVALID', message);
