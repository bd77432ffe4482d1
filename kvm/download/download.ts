import type { LookupFunction } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';
import { SlipwayError } from '../../shared/errors.js';
import type { DownloadProgress, DownloadResult, PieceHashes, Unpacked } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import { SETTINGS } from '../../shared/settings.js';
import type { Trust } from '../keystore/trust.js';
import type { GrowingFile } from '../unpack/growing-file.js';
import { abortError, throwIfAborted } from './abort.js';
import type { RateLimit } from './bandwidth.js';
import { createSourceClient } from './create-source-client.js';
import { DownloadJob } from './download-job.js';
import { DownloadProgressMeter } from './download-progress.js';
import { runExclusively } from './exclusive-path.js';
import { poolFailure, removeDurably } from './file-io.js';
import { Follower, isOfBytes } from './follower.js';
import { removeJournal } from './journal.js';
import { Mirror } from './mirror.js';
import { isOwnServer } from './own-servers.js';
import { PartialDownload, readFinished } from './partial-download.js';
import type { RegisteredSource } from './source-client.js';

const TICK_MS = 100;
/** More mirrors at once do not make a download faster, and cost each of their servers a connection. */
const MAX_MIRRORS = 8;
const MAX_CONNECTIONS = SETTINGS['direct.download.own.server.connections'].max;
/** What Node's timers can hold: a longer one would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface DownloadRequest {
  /** Full URLs of one tier, best first. */
  sources: readonly string[];
  /** Grows to the whole file. `<partialPath>.journal` beside it knows what may be trusted after a crash. */
  partialPath: string;
  /** Size that a metalink announces. */
  expectedSizeBytes?: number | undefined;
  /** Each piece is compared before it counts; needs `expectedSizeBytes`. */
  pieces?: PieceHashes | undefined;
  /**
   * A hash of the whole file will be compared afterwards, so that bytes of several mirrors may be joined. Without it,
   * and without piece hashes, all bytes come from one source, of one version by its strong ETag (or date) and size.
   */
  hasVouchedDigest: boolean;
  /** Use one mirror after the other: after a wrong whole-file hash, so that it is known who is to blame. */
  isOneAtATime?: boolean;
  /** Digests computed in the same pass. */
  algorithms: readonly DigestAlgorithm[];
  settings: DownloadSettings;
}

export interface SourceContext {
  signal: AbortSignal;
  /** Asked at each connection; the public roots alone by default. */
  trust?: Trust | undefined;
  /** Name resolution; the operating system's by default. */
  resolve?: LookupFunction | undefined;
  registered?: RegisteredSource | undefined;
  /** An HTTP proxy: it resolves the names of servers. */
  proxy?: URL | undefined;
}

export interface DownloadContext extends SourceContext {
  /** About ten times a second while bytes arrive. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Rates that the bytes from a server count for. */
  limitsOf?: ((url: URL) => readonly RateLimit[]) | undefined;
  /**
   * Reads the file while it grows, and says what it made of it. Called again, after its signal has aborted, when the
   * bytes had to be thrown away.
   */
  unpack?:
    | ((file: GrowingFile, signal: AbortSignal, onBytes: (bytes: number) => void) => Promise<Unpacked | undefined>)
    | undefined;
}

/**
 * Downloads to `partialPath`, hashing on the way, and syncs it to disk. A repeated call continues where an earlier one
 * (in this process or a killed one) was, and answers at once when the file is complete.
 *
 * @throws SlipwayError SLIPWAY_SOURCES_EXHAUSTED with `MirrorReport[]` as details; SLIPWAY_TEMPLATE_TOO_LARGE,
 *   SLIPWAY_TRANSFER_DEADLINE, SLIPWAY_POOL_FULL, SLIPWAY_POOL_IO; SLIPWAY_UNPACK_* of `unpack`; AbortError when the
 *   signal aborts or a newer call for the same path began
 */
export async function download(request: DownloadRequest, context: DownloadContext): Promise<DownloadResult> {
  return runExclusively(request.partialPath, context.signal, async (signal) => {
    const finished = await readFinished(request.partialPath);
    if (finished && hasDigests(finished.digests, request.algorithms)) {
      return { ...finished, resumedFromBytes: finished.sizeBytes, mirrors: [] };
    }
    const { totalTimeoutMs } = request.settings;
    const deadline = AbortSignal.timeout(Math.min(totalTimeoutMs, MAX_TIMER_MS));
    try {
      return await downloadNow(withUsablePieces(request), { ...context, signal: AbortSignal.any([signal, deadline]) });
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (!deadline.aborted) throw error;
      throw new SlipwayError('SLIPWAY_TRANSFER_DEADLINE', `The download took longer than ${totalTimeoutMs / 1000} s`);
    }
  });
}

const hasDigests = (digests: readonly Digest[], algorithms: readonly DigestAlgorithm[]): boolean =>
  algorithms.every((wanted) => digests.some(({ algorithm }) => algorithm === wanted));

/** Without the size nobody knows where the last piece ends. */
const withUsablePieces = (request: DownloadRequest): DownloadRequest =>
  request.expectedSizeBytes === undefined ? { ...request, pieces: undefined } : request;

async function downloadNow(request: DownloadRequest, context: DownloadContext): Promise<DownloadResult> {
  const { settings, partialPath: path, expectedSizeBytes, pieces, sources } = request;
  checkSize(expectedSizeBytes, settings.maxSizeBytes);
  const client = createSourceClient({ ...context, settings });
  // A disk that fails, or content that cannot be unpacked, has to end a transfer that waits for a silent source.
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  let job: DownloadJob | undefined;
  let ticking: NodeJS.Timeout | undefined;
  const partial = await PartialDownload.open({
    path,
    algorithms: request.algorithms,
    pieces: pieces && expectedSizeBytes !== undefined ? { ...pieces, totalBytes: expectedSizeBytes } : undefined,
    onRefused: (piece) => job?.refuse(piece),
  });
  const follower = new Follower(context.unpack, partial.file, signal, (error) => {
    // When a hash vouches for the bytes it has to be heard first: a mirror may have sent wrong ones.
    if (!(request.hasVouchedDigest && isOfBytes(error))) failed.abort(error);
  });
  try {
    if (isContradicted(partial, request)) await partial.reset();
    job = new DownloadJob({
      client,
      partial,
      expectedSizeBytes,
      pieces,
      signal,
      mirrors: sources.map((url) => new Mirror(url, connectionsTo(url, settings))),
      isVouched: request.hasVouchedDigest || pieces !== undefined,
      maxMirrors: isJoined(request) ? MAX_MIRRORS : 1,
      maxSizeBytes: settings.maxSizeBytes,
      limitsOf: context.limitsOf ?? (() => []),
      withoutReader: (act) => follower.pauseFor(act),
    });
    const meter = new DownloadProgressMeter(partial, job, follower);
    ticking = setInterval(() => {
      const nowMs = performance.now();
      try {
        partial.tick(nowMs);
      } catch (error) {
        failed.abort(error);
      }
      job?.tick(nowMs);
      context.onProgress?.(meter.read(nowMs));
    }, TICK_MS);
    follower.start();
    await job.run();
    const finished = await partial.finish();
    const { unpacked, unpackFailure } = await follower.result();
    throwIfAborted(signal);
    await partial.recordFinished({ ...finished, unpacked, unpackFailure });
    const { resumedFromBytes } = partial;
    return { ...finished, resumedFromBytes, mirrors: job.reports, unpacked, unpackFailure };
  } catch (error) {
    // What arrived is worth keeping, but not worth hiding the first failure.
    await partial.save().catch(() => undefined);
    if (failed.signal.aborted && !context.signal.aborted) throw failed.signal.reason;
    throw error;
  } finally {
    clearInterval(ticking);
    client.close();
    await follower.stop();
    await partial.close();
  }
}

const isJoined = ({ hasVouchedDigest, pieces, isOneAtATime }: DownloadRequest): boolean =>
  (hasVouchedDigest || pieces !== undefined) && isOneAtATime !== true;

function connectionsTo(url: string, { ownServers, ownServerConnections }: DownloadSettings): number {
  if (!URL.canParse(url) || !isOwnServer(new URL(url), ownServers)) return 1;
  return Math.max(1, Math.min(ownServerConnections, MAX_CONNECTIONS));
}

function checkSize(expectedSizeBytes: number | undefined, maxSizeBytes: number): void {
  if (expectedSizeBytes === undefined || expectedSizeBytes <= maxSizeBytes) return;
  throw new SlipwayError(
    'SLIPWAY_TEMPLATE_TOO_LARGE',
    `The file has ${expectedSizeBytes} bytes, and at most ${maxSizeBytes} are allowed`,
  );
}

/** Bytes of a file of another size than announced, or of a source that is not among these, and nothing to vouch for them. */
function isContradicted({ file, identity }: PartialDownload, request: DownloadRequest): boolean {
  const { expectedSizeBytes, hasVouchedDigest, pieces } = request;
  if (!identity) return false;
  const totalBytes = expectedSizeBytes ?? identity.totalBytes;
  if (totalBytes !== undefined && (file.written.at(-1)?.endByte ?? 0) > totalBytes) return true;
  if (expectedSizeBytes !== undefined && (identity.totalBytes ?? expectedSizeBytes) !== expectedSizeBytes) return true;
  if (hasVouchedDigest || pieces !== undefined) return false;
  const isWhole = totalBytes !== undefined && file.writtenBytes === totalBytes;
  return isWhole && !request.sources.some((url) => new Mirror(url, 1).shown === identity.url);
}

/** Removes a partial file and everything known about it; a download that still writes to it is aborted first. */
export async function discardPartial(partialPath: string): Promise<void> {
  await runExclusively(partialPath, new AbortController().signal, async () => {
    try {
      await removeJournal(partialPath);
      await removeDurably(partialPath);
    } catch (error) {
      throw poolFailure(error);
    }
  });
}

/** Digests of a finished download; undefined while it is not finished. */
export async function readFinishedDigests(partialPath: string): Promise<Digest[] | undefined> {
  return (await readFinished(partialPath))?.digests;
}
