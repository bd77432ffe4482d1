import type { IncomingHttpHeaders } from 'node:http';
import type { LookupFunction } from 'node:net';
import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import { PUBLIC_ROOTS, type Trust, type TrustAnchors } from '../keystore/trust.js';
import { readDigestHeaders } from '../metalink/link-headers.js';
import { createUrlPolicy } from '../url-policy/url-policy.js';
import { basicAuthorization } from './basic-authorization.js';
import { statusFailure } from './classify-failure.js';
import { exchange, type HttpResponse } from './http-exchange.js';
import { readPlace } from './http-place.js';
import { IdleWires } from './idle-wires.js';
import type { ByteRange, RegisteredSource, SourceBody, SourceClient } from './source-client.js';
import type { Wire } from './wire.js';

const MAX_REDIRECTS = 5;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);
/** Answers of a place that a redirect led to and that may have moved on since. */
const MOVED_ON = new Set([401, 403, 404, 410]);

/** RFC 6761, 6.3. */
const LOCAL_NAME = /(^|\.)localhost\.?$/;

export interface SourceClientOptions {
  settings: DownloadSettings;
  /** Asked at each connection; the public roots alone by default. */
  trust?: Trust | undefined;
  /** Name resolution; the operating system's by default. The URL policy filters its answers. */
  resolve?: LookupFunction | undefined;
  /** Its headers go to the origin (scheme, host, port) of its URL, whichever request or redirect leads there. */
  registered?: RegisteredSource | undefined;
  /** Through which servers are reached; it resolves their names. */
  proxy?: URL | undefined;
}

interface Answer extends HttpResponse {
  /** After redirects. */
  url: URL;
}

function rangeHeaders({ fromByte, endByte, ifRange }: ByteRange): Record<string, string> {
  if (fromByte === 0 && endByte === undefined) return {};
  const range = `bytes=${fromByte}-${endByte === undefined ? '' : endByte - 1}`;
  return ifRange === undefined ? { range } : { range, 'if-range': ifRange };
}

const redirectFailure = (url: URL, why: string): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_REDIRECT', `${displayUrl(url)}: ${why}`);

function redirectTarget(url: URL, { location }: IncomingHttpHeaders): string {
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

/** Strong validators, which alone tell that bytes are the same. */
const strongEtag = (etag: string | undefined): string | undefined => (etag?.startsWith('"') ? etag : undefined);

function toBody(answer: Answer, range: ByteRange): SourceBody {
  const { url, statusCode, headers } = answer;
  if (statusCode === 416) {
    throw new SlipwayError('SLIPWAY_SOURCE_SIZE', `${displayUrl(url)}: the file has no byte ${range.fromByte} there`);
  }
  const failure = statusFailure(url, statusCode, headers, Date.now());
  if (failure) throw failure;
  const { fromByte, bodyBytes, totalBytes } = readPlace(displayUrl(url), statusCode, headers, range);
  return {
    url,
    fromByte,
    bodyBytes,
    totalBytes,
    etag: strongEtag(headers.etag),
    lastModified: headers['last-modified'],
    hasRanges: statusCode === 206 || headers['accept-ranges'] === 'bytes',
    mediaType: headers['content-type'],
    hints: {
      links: answer.valuesOf('link'),
      digests: readDigestHeaders({ digest: answer.valuesOf('digest'), reprDigest: answer.valuesOf('repr-digest') }),
    },
    pump: (sink) => answer.pump(sink),
    discard: () => answer.discard(),
  };
}

/**
 * Reads from HTTP and HTTPS servers. Every hop passes the URL policy. Where a redirect led is remembered, so that all
 * ranges of a file come from one place; connections are kept for the next range.
 */
export function createHttpClient(options: SourceClientOptions): SourceClient {
  const { settings, trust = () => PUBLIC_ROOTS, resolve, registered, proxy } = options;
  const policy = createUrlPolicy(settings.allowedInternalCidrs, resolve);
  const closing = new AbortController();
  const idle = new IdleWires();
  const places = new Map<string, string>();

  const ask = async (url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<HttpResponse> => {
    const requestWith = (anchors: TrustAnchors) => ({
      url,
      headers,
      lookup: policy.lookup,
      anchors,
      proxy,
      connectTimeoutMs: settings.connectTimeoutMs,
      socketTimeoutMs: settings.socketTimeoutMs,
      signal,
      onIdle: (wire: Wire) => idle.keep(url.origin, wire, anchors),
    });
    const anchors = trust();
    const wire = idle.take(url.origin, anchors);
    if (!wire) return exchange(requestWith(anchors));
    try {
      return await exchange({ ...requestWith(anchors), wire });
    } catch (error) {
      // A server may close an idle connection just as it is used again (RFC 9112, 9.5).
      if (!isSlipwayError(error) || error.code !== 'SLIPWAY_SOURCE_INTERRUPTED') throw error;
      // What was trusted may have been revoked while that was waited for.
      return exchange(requestWith(trust()));
    }
  };

  /** A proxy finds the addresses of names by itself: of those only what a name says can be checked here. */
  const checkHop = (text: string): URL => {
    const url = policy.checkUrl(text);
    if (!proxy || !LOCAL_NAME.test(url.hostname)) return url;
    throw new SlipwayError(
      'SLIPWAY_URL_FORBIDDEN',
      `${url.hostname} is the proxy itself, which image URLs must not lead to`,
    );
  };

  const follow = async (text: string, place: string, signal: AbortSignal, range: ByteRange): Promise<Answer> => {
    const asked = checkHop(text);
    const { origin } = asked;
    const authorization = basicAuthorization(asked);
    let url = checkHop(place);
    for (let redirects = 0; ; redirects++) {
      const response = await ask(
        url,
        {
          accept: '*/*',
          'user-agent': 'Slipway',
          ...(authorization !== undefined && url.origin === origin ? { authorization } : {}),
          ...registeredHeaders(registered, url),
          // An encoded body has other bytes, another size and another hash than the file.
          'accept-encoding': 'identity',
          ...rangeHeaders(range),
        },
        signal,
      );
      if (!REDIRECT_STATUSES.has(response.statusCode)) return { ...response, url };
      response.discard();
      if (!settings.followRedirects) throw redirectFailure(url, 'the server redirects, and redirects are not followed');
      if (redirects === MAX_REDIRECTS) throw redirectFailure(url, `more than ${MAX_REDIRECTS} redirects`);
      url = checkHop(redirectTarget(url, response.headers));
    }
  };

  const open = async (text: string, signal: AbortSignal, range: ByteRange = { fromByte: 0 }): Promise<SourceBody> => {
    const either = AbortSignal.any([signal, closing.signal]);
    const place = places.get(text);
    let answer: Answer;
    try {
      answer = await follow(text, place ?? text, either, range);
    } catch (error) {
      // A server that is gone may have been one of several that the registered URL leads to.
      if (!either.aborted) places.delete(text);
      throw error;
    }
    if (place !== undefined && MOVED_ON.has(answer.statusCode)) {
      // A signed place may have expired: the registered URL knows the present one.
      answer.discard();
      answer = await follow(text, text, either, range);
    }
    try {
      const body = toBody(answer, range);
      if (answer.url.href !== place) places.set(text, answer.url.href);
      return body;
    } catch (error) {
      answer.discard();
      throw error;
    }
  };

  const close = (): void => {
    closing.abort();
    idle.close();
  };
  return { open, close };
}
