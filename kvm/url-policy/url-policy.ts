import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import { createAddressPolicy } from './address-policy.js';
import { nfsLocation } from './nfs-url.js';

/** What a URL may begin with, by the client that reads it: a redirect must not lead from one to another. */
const FAMILIES = {
  http: { schemes: ['http:', 'https:'], refusal: 'is neither http nor https' },
  nfs: { schemes: ['nfs:'], refusal: 'is not an nfs URL' },
} as const;

export interface UrlPolicy {
  /**
   * The parsed URL, if its scheme is of `family` (http and https by default), and (for an IP literal) its address is
   * allowed. Must be asked for every hop: the registered URL, each redirect, each URL of a metalink.
   *
   * @throws SlipwayError SLIPWAY_URL_INVALID or SLIPWAY_URL_FORBIDDEN
   */
  checkUrl(url: string, family?: keyof typeof FAMILIES): URL;
  /**
   * Name resolution for the socket itself. It hands over allowed addresses only, so what was checked is what is
   * connected to: a second DNS answer (rebinding) has no say. Sockets do not call it for IP literals.
   */
  readonly lookup: LookupFunction;
}

const forbidden = (what: string, why: string): SlipwayError =>
  new SlipwayError('SLIPWAY_URL_FORBIDDEN', `${what} ${why}, which image URLs must not lead to`);

/**
 * @param resolve name resolution to filter; the operating system's unless a test brings its own answers
 */
export function createUrlPolicy(
  allowedInternalCidrs: readonly string[],
  resolve: LookupFunction = systemLookup as LookupFunction,
): UrlPolicy {
  const refusalOf = createAddressPolicy(allowedInternalCidrs);

  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, answer) => {
      if (error) return callback(error, '');
      const addresses = typeof answer === 'string' ? [{ address: answer, family: isIP(answer) }] : answer;
      const allowed = addresses.filter(({ address }) => refusalOf(address) === undefined);
      const [first] = allowed;
      if (!first) {
        const [refused] = addresses;
        const why = refused
          ? `resolves to ${refused.address}, which ${refusalOf(refused.address)}`
          : 'resolves to no address';
        return callback(forbidden(hostname, why), '');
      }
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };

  const checkUrl = (text: string, family: keyof typeof FAMILIES = 'http'): URL => {
    if (!URL.canParse(text)) throw new SlipwayError('SLIPWAY_URL_INVALID', 'The URL is not an absolute URL');
    const url = new URL(text);
    const { schemes, refusal: wrongScheme }: { schemes: readonly string[]; refusal: string } = FAMILIES[family];
    if (!schemes.includes(url.protocol)) {
      throw new SlipwayError('SLIPWAY_URL_INVALID', `${displayUrl(url)} ${wrongScheme}`);
    }
    const literal = url.protocol === 'nfs:' ? nfsLocation(url).host : url.hostname.replace(/^\[(.*)\]$/, '$1');
    const refusal = isIP(literal) === 0 ? undefined : refusalOf(literal);
    if (refusal !== undefined) throw forbidden(literal, refusal);
    return url;
  };

  return { checkUrl, lookup };
}
