import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import type { DownloadSettings } from '../../shared/settings.js';
import { createUrlPolicy } from '../url-policy/url-policy.js';
import { exchange, type HttpResponse } from './http-exchange.js';
import type { RegisteredSource } from './source-client.js';

const MAX_REDIRECTS = 5;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

export interface HttpClientOptions {
  settings: DownloadSettings;
  /** Trusted beside the public roots. */
  trustedCertificatesPem?: readonly string[] | undefined;
  /** Name resolution; the operating system's by default. The URL policy filters its answers. */
  resolve?: LookupFunction | undefined;
  /** Its headers go to the origin (scheme, host, port) of its URL, whichever request or redirect leads there. */
  registered?: RegisteredSource | undefined;
}

export interface ByteRange {
  fromByte: number;
  /** Last byte wanted, inclusive; the end of the file by default. */
  toByte?: number;
  /** Strong ETag or Last-Modified: the server sends the whole file when it has changed (RFC 9110, 13.1.5). */
  ifRange?: string | undefined;
}

export interface HttpClient {
  /**
   * A GET whose every hop passes the URL policy. Any status comes back except redirects.
   *
   * @throws SlipwayError SLIPWAY_URL_*, SLIPWAY_SOURCE_CONNECT, _TIMEOUT, _INTERRUPTED, _TLS, _REDIRECT; AbortError
   */
  get(url: string, signal: AbortSignal, range?: ByteRange): Promise<HttpResponse>;
  /** Ends all connections, also those still being made. */
  close(): void;
}

function rangeHeaders({ fromByte, toByte, ifRange }: ByteRange): Record<string, string> {
  if (fromByte === 0 && toByte === undefined) return {};
  const range = `bytes=${fromByte}-${toByte ?? ''}`;
  return ifRange === undefined ? { range } : { range, 'if-range': ifRange };
}

/** Basic credentials of a URL (RFC 7617); undefined without user info. */
function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const credentials = [username, password].map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return `Basic ${Buffer.from(credentials.join(':')).toString('base64')}`;
}

const redirectFailure = (url: URL, why: string): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_REDIRECT', `${displayUrl(url)}: ${why}`);

function redirectTarget({ url, headers }: HttpResponse): string {
  const location = headers.location;
  if (location === undefined || !URL.canParse(location, url.href)) {
    throw redirectFailure(url, 'the server redirects to no valid URL');
  }
  const target = new URL(location, url);
  // A server must not choose the credentials that another one is sent.
  target.username = '';
  target.password = '';
  return target.href;
}

/** What is sent to `url` beside the client's own headers: nothing to any origin but the registered one. */
function registeredHeaders(registered: RegisteredSource | undefined, url: URL): Record<string, string> {
  if (!registered || !URL.canParse(registered.url) || new URL(registered.url).origin !== url.origin) return {};
  return Object.fromEntries(registered.headers.map(([name, value]) => [name.toLowerCase(), value]));
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { settings, trustedCertificatesPem = [], resolve, registered } = options;
  const policy = createUrlPolicy(settings.allowedInternalCidrs, resolve);
  // `ca` replaces the public roots, so that they have to be named too.
  const ca = trustedCertificatesPem.length > 0 ? [...rootCertificates, ...trustedCertificatesPem] : undefined;
  const closing = new AbortController();

  const get = async (text: string, signal: AbortSignal, range: ByteRange = { fromByte: 0 }): Promise<HttpResponse> => {
    let url = policy.checkUrl(text);
    const authorization = basicAuthorization(url);
    const { origin } = url;
    const either = AbortSignal.any([signal, closing.signal]);
    for (let redirects = 0; ; redirects++) {
      const headers: Record<string, string> = {
        accept: '*/*',
        'user-agent': 'Slipway',
        ...(authorization !== undefined && url.origin === origin ? { authorization } : {}),
        ...registeredHeaders(registered, url),
        // An encoded body has other bytes, another size and another hash than the file.
        'accept-encoding': 'identity',
        ...rangeHeaders(range),
      };
      const response = await exchange({
        url,
        headers,
        lookup: policy.lookup,
        ca,
        connectTimeoutMs: settings.connectTimeoutMs,
        socketTimeoutMs: settings.socketTimeoutMs,
        signal: either,
      });
      if (!REDIRECT_STATUSES.has(response.statusCode)) return response;
      response.discard();
      if (!settings.followRedirects) throw redirectFailure(url, 'the server redirects, and redirects are not followed');
      if (redirects === MAX_REDIRECTS) throw redirectFailure(url, `more than ${MAX_REDIRECTS} redirects`);
      url = policy.checkUrl(redirectTarget(response));
    }
  };

  return { get, close: () => closing.abort() };
}
