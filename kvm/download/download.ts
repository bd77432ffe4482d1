import type { LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import type { DownloadProgress, DownloadResult, MirrorReport } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/settings.js';
import { abortError, throwIfAborted } from './abort.js';
import type { SourceFailureDetails } from './classify-failure.js';
import { runExclusively } from './exclusive-path.js';
import { poolFailure, removeDurably } from './file-io.js';
import { createHttpClient, type HttpClient } from './http-client.js';
import { removeJournal } from './journal.js';
import { PartialDownload, readFinished } from './partial-download.js';
import { decideRetry } from './retry-decision.js';
import type { RegisteredSource } from './source-client.js';
import { transfer, type TransferRules } from './transfer.js';

export interface DownloadRequest {
  /** Full URLs of one tier, tried in order. */
  sources: readonly string[];
  /** Grows to the whole file. `<partialPath>.journal` beside it knows what may be trusted after a crash. */
  partialPath: string;
  /** Size that a metalink announces. */
  expectedSizeBytes?: number | undefined;
  /**
   * A hash of the whole file will be compared afterwards, so that what one mirror began another may continue. Without
   * it only the same source may, with the same strong ETag (or date) and size.
   */
  hasVouchedDigest: boolean;
  /** Digests computed in the same pass. */
  algorithms: readonly DigestAlgorithm[];
  settings: DownloadSettings;
}

export interface SourceContext {
  signal: AbortSignal;
  /** Trusted beside the public roots. */
  trustedCertificatesPem?: readonly string[] | undefined;
  /** Name resolution; the operating system's by default. */
  resolve?: LookupFunction | undefined;
  registered?: RegisteredSource | undefined;
}

export interface DownloadContext extends SourceContext {
  /** About ten times a second while bytes arrive. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/**
 * Downloads to `partialPath`, hashing on the way, and syncs it to disk. A repeated call continues where an earlier one
 * (in this process or a killed one) was, and answers at once when the file is complete.
 *
 * @throws SlipwayError SLIPWAY_SOURCES_EXHAUSTED with `MirrorReport[]` as details; SLIPWAY_TEMPLATE_TOO_LARGE,
 *   SLIPWAY_POOL_FULL, SLIPWAY_POOL_IO; AbortError when the signal aborts or a newer call for the same path began
 */
export async function download(request: DownloadRequest, context: DownloadContext): Promise<DownloadResult> {
  return runExclusively(request.partialPath, context.signal, async (signal) => {
    const finished = await readFinished(request.partialPath);
    if (finished && hasDigests(finished.digests, request.algorithms)) {
      return { ...finished, resumedFromBytes: finished.sizeBytes, mirrors: [] };
    }
    const client = createHttpClient({ ...context, settings: request.settings });
    try {
      return await downloadWith(client, request, { ...context, signal });
    } finally {
      client.close();
    }
  });
}

const hasDigests = (digests: readonly Digest[], algorithms: readonly DigestAlgorithm[]): boolean =>
  algorithms.every((wanted) => digests.some(({ algorithm }) => algorithm === wanted));

async function downloadWith(
  client: HttpClient,
  request: DownloadRequest,
  context: DownloadContext,
): Promise<DownloadResult> {
  // A disk that fails between two chunks has to end a transfer that waits for a silent source.
  const diskFailure = new AbortController();
  const signal = AbortSignal.any([context.signal, diskFailure.signal]);
  const partial = await PartialDownload.open(request.partialPath, request.algorithms);
  try {
    partial.start((error) => diskFailure.abort(error), context.onProgress);
    if (isContradicted(partial, request)) await partial.reset();
    const mirrors = isComplete(partial, request) ? [] : await trySources(client, request, partial, signal);
    const finished = await partial.finish();
    return { ...finished, resumedFromBytes: partial.resumedFromBytes, mirrors };
  } catch (error) {
    // What arrived is worth keeping, but not worth hiding the first failure.
    await partial.save().catch(() => undefined);
    if (context.signal.aborted) throw abortError(context.signal);
    if (diskFailure.signal.aborted) throw diskFailure.signal.reason;
    throw error;
  } finally {
    await partial.close();
  }
}

/** Bytes of a file of another size than announced: no source could continue them, and none would say so. */
function isContradicted({ file, identity }: PartialDownload, { expectedSizeBytes }: DownloadRequest): boolean {
  if (expectedSizeBytes === undefined) return false;
  return file.acceptedBytes > expectedSizeBytes || (identity?.totalBytes ?? expectedSizeBytes) !== expectedSizeBytes;
}

/** A process that was killed between the last byte and the last sync left nothing to ask a source for. */
function isComplete({ file, identity }: PartialDownload, request: DownloadRequest): boolean {
  const totalBytes = request.expectedSizeBytes ?? identity?.totalBytes;
  if (!identity || file.acceptedBytes !== totalBytes) return false;
  return request.hasVouchedDigest || request.sources.some((url) => displayUrl(url) === identity.url);
}

async function trySources(
  client: HttpClient,
  request: DownloadRequest,
  partial: PartialDownload,
  signal: AbortSignal,
): Promise<MirrorReport[]> {
  const rules: TransferRules = {
    hasVouchedDigest: request.hasVouchedDigest,
    expectedSizeBytes: request.expectedSizeBytes,
    maxSizeBytes: request.settings.maxSizeBytes,
  };
  const { expectedSizeBytes = 0 } = request;
  if (expectedSizeBytes > rules.maxSizeBytes) {
    throw new SlipwayError(
      'SLIPWAY_TEMPLATE_TOO_LARGE',
      `The file has ${expectedSizeBytes} bytes, and at most ${rules.maxSizeBytes} are allowed`,
    );
  }
  const mirrors: MirrorReport[] = [];
  for (const url of request.sources) {
    const report = await trySource(client, url, partial, rules, signal);
    mirrors.push(report);
    if (report.outcome === 'used') return mirrors;
  }
  const lines = mirrors.map(({ reason }) => reason);
  throw new SlipwayError('SLIPWAY_SOURCES_EXHAUSTED', ['No source could be read', ...lines].join('\n'), {
    details: mirrors,
  });
}

/** Tries one source until it has given the file or the decision is to leave it. */
async function trySource(
  client: HttpClient,
  url: string,
  partial: PartialDownload,
  rules: TransferRules,
  signal: AbortSignal,
): Promise<MirrorReport> {
  const report: MirrorReport = { url: displayUrl(url), outcome: 'failed', bytes: 0 };
  let longestBytes = partial.file.acceptedBytes;
  let triesWithoutProgress = 0;
  for (let tries = 1; ; tries++) {
    throwIfAborted(signal);
    try {
      await transfer(client, url, partial, rules, signal, (bytes) => (report.bytes += bytes));
      return { ...report, outcome: 'used' };
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
      const { code } = error;
      if (code === 'SLIPWAY_SOURCE_CHANGED') await partial.reset();
      triesWithoutProgress = partial.file.acceptedBytes > longestBytes ? 0 : triesWithoutProgress + 1;
      longestBytes = Math.max(longestBytes, partial.file.acceptedBytes);
      const { retryAfterMs } = (error.details ?? {}) as SourceFailureDetails;
      const decision = decideRetry({ code, tries, triesWithoutProgress, retryAfterMs });
      if (decision.action === 'stop') throw error;
      if (decision.action === 'nextSource') return { ...report, code, reason: error.message };
      await sleep(decision.waitMs, undefined, { signal });
    }
  }
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
