import type { IncomingHttpHeaders } from 'node:http';
import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError, type ErrorCode } from '../../shared/errors.js';
import { UntrustedServerError } from './tls-failure.js';

/** In `details` of the errors made here. */
export interface SourceFailureDetails {
  /** How long the server asked to be left alone. */
  retryAfterMs?: number;
}

const CONNECT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);
const TIMEOUT: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'no connection in time',
  // Our own, of the exchange's timers.
  SILENT_CONNECT: 'no connection in time',
  SILENT_ANSWER: 'no answer in time',
  SILENT_BODY: 'the transfer fell silent',
};
/** Codes of Node's and OpenSSL's TLS; they share no prefix. */
const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|EPROTO)/;

/** Messages of OpenSSL hold source lines and pointers; the code says it all. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'name resolution failed for now',
  EHOSTUNREACH: 'no route to the server',
  ENETUNREACH: 'no route to the network',
};

function errorCodeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  // A name with several addresses fails with all their failures together.
  if (error instanceof AggregateError) return errorCodeOf(error.errors[0]);
  return '';
}

function classify(code: string): { code: ErrorCode; reason: string } {
  const timeout = TIMEOUT[code];
  if (timeout !== undefined) return { code: 'SLIPWAY_SOURCE_TIMEOUT', reason: timeout };
  if (CONNECT.has(code)) return { code: 'SLIPWAY_SOURCE_CONNECT', reason: REASONS[code] ?? `no connection (${code})` };
  if (TLS.test(code)) return { code: 'SLIPWAY_SOURCE_TLS', reason: `no connection over TLS (${code})` };
  return { code: 'SLIPWAY_SOURCE_INTERRUPTED', reason: `the transfer broke off${code === '' ? '' : ` (${code})`}` };
}

/** What a failed connection or transfer means. Errors that already have a meaning stay as they are. */
export function transportFailure(url: string | URL, error: unknown): SlipwayError {
  if (isSlipwayError(error)) return error;
  const { code, reason } =
    error instanceof UntrustedServerError
      ? { code: 'SLIPWAY_SOURCE_TLS' as const, reason: error.message }
      : classify(errorCodeOf(error));
  return new SlipwayError(code, `${displayUrl(url)}: ${reason}`, { cause: error });
}

/** RFC 9110, 10.2.3: seconds, or a date. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The failure that a status stands for; undefined for one that carries the file (200, 206). */
export function statusFailure(
  url: string | URL,
  statusCode: number,
  headers: IncomingHttpHeaders,
  nowMs: number,
): SlipwayError | undefined {
  if (statusCode === 200 || statusCode === 206) return undefined;
  // 408 is the server's own "try again", although its number says that the client erred.
  const isTransient = statusCode >= 500 || statusCode === 429 || statusCode === 408;
  const retryAfterMs = isTransient ? parseRetryAfter(headers['retry-after'], nowMs) : undefined;
  const details: SourceFailureDetails = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new SlipwayError(
    isTransient ? 'SLIPWAY_SOURCE_HTTP_5XX' : 'SLIPWAY_SOURCE_HTTP_4XX',
    `${displayUrl(url)}: the server answered ${statusCode}`,
    { details },
  );
}
