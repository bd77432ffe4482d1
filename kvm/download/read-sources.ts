import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError } from '../../shared/errors.js';
import type { ImageFormat, PieceHashes } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import { readLinkHeaders } from '../metalink/link-headers.js';
import { type Dropped, LOWEST_PRIORITY, type MetalinkFile, type Tier } from '../metalink/metalink-file.js';
import { MAX_METALINK_BYTES, type MetalinkContext, parseMetalink } from '../metalink/parse-metalink.js';
import { toTiers } from '../metalink/to-tiers.js';
import type { SourceFailureDetails } from './classify-failure.js';
import { createSourceClient } from './create-source-client.js';
import type { SourceContext } from './download.js';
import { readDocument } from './read-body.js';
import { decideRetry } from './retry-decision.js';
import type { SourceBody, SourceClient } from './source-client.js';

/** Where a registered URL leads to. The URLs are whole: user info and query may be secret. */
export interface SourcePlan {
  isMetalink: boolean;
  /** Announced by a metalink. */
  sizeBytes?: number;
  /** Of the whole file, announced by a metalink or by the server itself (RFC 6249). */
  digests: Digest[];
  pieces?: PieceHashes;
  /** Best first. */
  tiers: Tier[];
  dropped: Dropped[];
}

const METALINK_PATH = /\.(metalink|meta4)$/i;
const METALINK_TYPE = /^application\/metalink(4?)\+xml\b/i;
/** Of a metalink that leads to another: whoever goes round in circles is no help. */
const MAX_DEPTH = 2;

/** What of a metalink is chosen. */
type Choice = Omit<MetalinkContext, 'documentUrl'>;

const singleSource = (url: string): SourcePlan => ({
  isMetalink: false,
  digests: [],
  tiers: [{ priority: 1, urls: [url] }],
  dropped: [],
});

/** Reads where a URL leads to, patiently as for an image. */
class SourceReader {
  readonly #client: SourceClient;
  readonly #choice: Choice;
  readonly #signal: AbortSignal;

  constructor(client: SourceClient, choice: Choice, signal: AbortSignal) {
    this.#client = client;
    this.#choice = choice;
    this.#signal = signal;
  }

  async read(url: string): Promise<SourcePlan> {
    const path = URL.canParse(url) ? new URL(url).pathname : '';
    if (METALINK_PATH.test(path)) return this.#readMetalink(url, 1);
    if (url.startsWith('nfs:')) return singleSource(url);
    const start = await this.#openStart(url);
    if (!start) return singleSource(url);
    start.discard();
    if (METALINK_TYPE.test(start.mediaType ?? '')) return this.#readMetalink(url, 1);
    return this.#readHints(url, start);
  }

  /** A metalink may be known by its media type only. A server that fails here is the download's to report. */
  async #openStart(url: string): Promise<SourceBody | undefined> {
    try {
      return await this.#client.open(url, this.#signal, { fromByte: 0, endByte: 1 });
    } catch (error) {
      if (isSlipwayError(error)) return undefined;
      throw error;
    }
  }

  /**
   * Mirrors that the server itself names (RFC 6249). Without a hash from the server they have to be ignored (section 4):
   * nobody could tell whether they have the same file.
   */
  async #readHints(url: string, { hints, totalBytes, url: place }: SourceBody): Promise<SourcePlan> {
    const { mirrors, metalinks, dropped } = readLinkHeaders(hints.links, place.href);
    const single = singleSource(url);
    const [metalink] = metalinks;
    const described = metalink === undefined ? undefined : await this.#tryMetalink(metalink, 1, dropped);
    if (described && hints.digests.length === 0 && described.digests.length === 0) return { ...single, dropped };
    if (described) {
      // The server that was registered is a source too, whatever the document says.
      const tiers = [...single.tiers, ...described.tiers.filter(({ urls }) => !urls.includes(url))];
      return { ...described, isMetalink: false, digests: joinDigests(hints.digests, described.digests), tiers };
    }
    if (hints.digests.length === 0) {
      const ignored = mirrors.map((mirror) => ({ what: displayUrl(mirror.url), why: 'the server gives no hash' }));
      return { ...single, dropped: [...dropped, ...ignored] };
    }
    const registered = { url, priority: Math.min(LOWEST_PRIORITY, ...mirrors.map(({ priority }) => priority)) };
    return {
      ...single,
      ...(totalBytes === undefined ? {} : { sizeBytes: totalBytes }),
      digests: hints.digests,
      tiers: toTiers([registered, ...mirrors.filter((mirror) => mirror.url !== url)], this.#choice.mirrorLocations),
      dropped,
    };
  }

  async #readMetalink(url: string, depth: number): Promise<SourcePlan> {
    const { sizeBytes, digests, pieces, tiers, metaurls, dropped } = await this.#fetchMetalink(url);
    const plan = { isMetalink: true, sizeBytes, digests, pieces, tiers, dropped: [...dropped] };
    const [metaurl] = metaurls;
    if (tiers.length > 0 || !metaurl || depth === MAX_DEPTH) return plan;
    const referred = await this.#readMetalink(metaurl.url, depth + 1);
    // What the first document says about the file holds for what the second one leads to.
    return {
      ...referred,
      sizeBytes: sizeBytes ?? referred.sizeBytes,
      digests: joinDigests(digests, referred.digests),
      pieces: pieces ?? referred.pieces,
      dropped: [...dropped, ...referred.dropped],
    };
  }

  async #tryMetalink(url: string, depth: number, dropped: Dropped[]): Promise<SourcePlan | undefined> {
    try {
      return await this.#readMetalink(url, depth);
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
      dropped.push({ what: displayUrl(url), why: error.message });
      return undefined;
    }
  }

  async #fetchMetalink(url: string): Promise<MetalinkFile> {
    for (let tries = 1; ; tries++) {
      try {
        const body = await this.#client.open(url, this.#signal);
        const document = await readDocument(body, MAX_METALINK_BYTES);
        // Relative URLs start where the document really came from.
        return parseMetalink(document, { documentUrl: body.url.href, ...this.#choice });
      } catch (error) {
        if (!isSlipwayError(error)) throw error;
        const { retryAfterMs } = (error.details ?? {}) as SourceFailureDetails;
        const decision = decideRetry({ code: error.code, tries, triesWithoutProgress: tries, retryAfterMs });
        if (decision.action !== 'retry') throw error;
        await sleep(decision.waitMs, undefined, { signal: this.#signal });
      }
    }
  }
}

/** Where both have a hash of one algorithm the first one's holds, and the other's is checked by nobody. */
const joinDigests = (first: readonly Digest[], second: readonly Digest[]): Digest[] => [
  ...first,
  ...second.filter(({ algorithm }) => !first.some((known) => known.algorithm === algorithm)),
];

export const readSourcesWith = (
  client: SourceClient,
  url: string,
  choice: Choice,
  signal: AbortSignal,
): Promise<SourcePlan> => new SourceReader(client, choice, signal).read(url);

/**
 * The sources behind a registered URL: the mirrors of a metalink (known by its suffix or media type), those that the
 * server itself names, else the URL alone.
 *
 * @throws SlipwayError SLIPWAY_METALINK_*, or what reading the document failed with; AbortError
 */
export async function readSources(
  url: string,
  format: ImageFormat,
  settings: DownloadSettings,
  context: SourceContext,
): Promise<SourcePlan> {
  const client = createSourceClient({ ...context, settings });
  try {
    return await readSourcesWith(client, url, { format, mirrorLocations: settings.mirrorLocations }, context.signal);
  } finally {
    client.close();
  }
}
