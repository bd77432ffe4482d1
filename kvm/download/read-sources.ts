import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../shared/checksum.js';
import { isSlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/settings.js';
import type { Dropped, Tier } from '../metalink/metalink-file.js';
import { MAX_METALINK_BYTES, parseMetalink } from '../metalink/parse-metalink.js';
import { statusFailure, type SourceFailureDetails } from './classify-failure.js';
import type { SourceContext } from './download.js';
import { createHttpClient, type HttpClient } from './http-client.js';
import type { HttpResponse } from './http-exchange.js';
import { readDocument } from './read-body.js';
import { decideRetry } from './retry-decision.js';

/** Where a registered URL leads to. The URLs are whole: user info and query may be secret. */
export interface SourcePlan {
  isMetalink: boolean;
  /** Announced by a metalink. */
  sizeBytes?: number;
  /** Of the whole file, announced by a metalink. */
  digests: Digest[];
  /** Best first. */
  tiers: Tier[];
  dropped: Dropped[];
}

const METALINK_PATH = /\.(metalink|meta4)$/i;
const METALINK_TYPE = /^application\/metalink(4?)\+xml\b/i;
/** Files that nobody serves a metalink under: no need to ask. */
const IMAGE_PATH = /\.(qcow2|img|raw|iso|vmdk|vhdx?|ova)(\.(gz|bz2|xz|zst|zip))?$/i;

const singleSource = (url: string): SourcePlan => ({
  isMetalink: false,
  digests: [],
  tiers: [{ priority: 1, urls: [url] }],
  dropped: [],
});

async function readMetalink(format: ImageFormat, response: HttpResponse): Promise<SourcePlan> {
  const failure = statusFailure(response.url, response.statusCode, response.headers, Date.now());
  if (failure) {
    response.discard();
    throw failure;
  }
  const document = await readDocument(response, MAX_METALINK_BYTES);
  // Relative URLs start where the document really came from.
  const { sizeBytes, digests, tiers, dropped } = parseMetalink(document, { documentUrl: response.url.href, format });
  return { isMetalink: true, ...(sizeBytes === undefined ? {} : { sizeBytes }), digests, tiers, dropped };
}

/** Asks for the document, patiently as for an image. */
async function fetchMetalink(
  client: HttpClient,
  url: string,
  format: ImageFormat,
  signal: AbortSignal,
): Promise<SourcePlan> {
  for (let tries = 1; ; tries++) {
    try {
      return await readMetalink(format, await client.get(url, signal));
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
      const { retryAfterMs } = (error.details ?? {}) as SourceFailureDetails;
      const decision = decideRetry({ code: error.code, tries, triesWithoutProgress: tries, retryAfterMs });
      if (decision.action !== 'retry') throw error;
      await sleep(decision.waitMs, undefined, { signal });
    }
  }
}

/** A metalink may be known by its media type only. A server that fails here is the download's to report. */
async function isServedAsMetalink(client: HttpClient, url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await client.get(url, signal, { fromByte: 0, toByte: 0 });
    response.discard();
    return METALINK_TYPE.test(response.headers['content-type'] ?? '');
  } catch (error) {
    if (isSlipwayError(error)) return false;
    throw error;
  }
}

export async function readSourcesWith(
  client: HttpClient,
  url: string,
  format: ImageFormat,
  signal: AbortSignal,
): Promise<SourcePlan> {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  if (METALINK_PATH.test(path)) return fetchMetalink(client, url, format, signal);
  if (IMAGE_PATH.test(path) || !(await isServedAsMetalink(client, url, signal))) return singleSource(url);
  return fetchMetalink(client, url, format, signal);
}

/**
 * The sources behind a registered URL: the mirrors of a metalink (known by its suffix or media type), else the URL
 * itself.
 *
 * @throws SlipwayError SLIPWAY_METALINK_INVALID, or what reading the document failed with; AbortError
 */
export async function readSources(
  url: string,
  format: ImageFormat,
  settings: DownloadSettings,
  context: SourceContext,
): Promise<SourcePlan> {
  const client = createHttpClient({ ...context, settings });
  try {
    return await readSourcesWith(client, url, format, context.signal);
  } finally {
    client.close();
  }
}
