import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RequestParameters } from '../protocol/request-parameters.js';
import { canonicalStrings } from './canonical-strings.js';

/** HMAC-SHA1 in base64, as CloudStack's signature versions 1 and 3 have it. */
export const sign = (canonicalString: string, secretKey: string): string =>
  createHmac('sha1', secretKey).update(canonicalString).digest('base64');

/** Every candidate is compared, and each in constant time: how long it takes says nothing about the right signature. */
export function isSignedWith(secretKey: string, parameters: RequestParameters): boolean {
  const given = Buffer.from(parameters.get('signature') ?? '', 'base64');
  let isValid = false;
  for (const canonical of canonicalStrings(parameters.entries)) {
    const expected = Buffer.from(sign(canonical, secretKey), 'base64');
    if (given.length === expected.length && timingSafeEqual(given, expected)) isValid = true;
  }
  return isValid;
}

/** A request of signature version 3 is good until `expires`, an ISO 8601 time with offset. Others do not expire. */
export function isExpired(parameters: RequestParameters, nowMs: number): boolean {
  // NaN compares as expired.
  return isVersion3(parameters) && !(expiryMs(parameters) > nowMs);
}

/** As far ahead as CloudStack lets a request expire that is to expire soon. */
const SOON_MS = 15 * 60_000;

export const expiresSoon = (parameters: RequestParameters, nowMs: number): boolean =>
  isVersion3(parameters) && expiryMs(parameters) <= nowMs + SOON_MS;

const isVersion3 = (parameters: RequestParameters): boolean => parameters.get('signatureversion') === '3';

function expiryMs(parameters: RequestParameters): number {
  const expires = parameters.get('expires') ?? '';
  const isIsoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(expires);
  return isIsoTime ? Date.parse(expires) : Number.NaN;
}
