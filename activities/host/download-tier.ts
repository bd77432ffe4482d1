import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { download } from '../../kvm/download/download.js';
import { SpaceReservation } from '../../kvm/storage/space-reservation.js';
import { unpackWhileGrowing } from '../../kvm/unpack/unpack-while-growing.js';
import type { DigestAlgorithm } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import type { DownloadProgress, DownloadResult } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import type { SealedTier, TemplateCopyRef } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';
import { readPieces } from './pieces-file.js';
import { adoptPartial, forgetLostImage } from './template-copy.js';
import { openTier } from './tier-secrets.js';

export interface DownloadTierInput {
  poolId: string;
  copy: TemplateCopyRef;
  /** A dead try, on this host or another of the pool: what it had downloaded is taken over. */
  resumeFrom: TemplateCopyRef | null;
  tier: SealedTier;
  /** Mirrors that have delivered wrong bytes before, without user info and query. */
  avoid: string[];
  expectedSizeBytes?: number;
  /** Kept on the pool by `readSources`. */
  hasPieces: boolean;
  /** A whole-file hash will be compared: bytes of several mirrors may be joined. */
  hasVouchedDigest: boolean;
  /** One mirror after the other: after a wrong hash, so that it is known who is to blame. */
  isOneAtATime: boolean;
  algorithms: DigestAlgorithm[];
  settings: DownloadSettings;
}

/**
 * Downloads a template's file from the mirrors of one tier, resuming what an earlier try left, and unpacks it on the way
 * when it is packed. Each heartbeat carries a `DownloadProgress`.
 */
export const downloadTier =
  (dependencies: HostDependencies) =>
  async (input: DownloadTierInput): Promise<DownloadResult> => {
    const { keys, bandwidth, proxy, certificates } = dependencies;
    const pool = poolOf(dependencies, input.poolId);
    const { copy, resumeFrom, settings } = input;
    bandwidth.setCaps(settings.bandwidth);
    if (resumeFrom) await beatWhile(() => adoptPartial(pool, resumeFrom, copy, cancellationSignal()));
    await forgetLostImage(pool, copy);
    // Before the first byte: a pool that fills up at the end has wasted the whole download.
    await pool.ensureSpaceFor(copy, input.expectedSizeBytes);
    const { urls, registered } = await openTier(input.tier.sealed, keys);
    const isAvoided = (url: string) => input.avoid.includes(displayUrl(url));
    const space = new SpaceReservation((sizeBytes, signal) => pool.reserveSpaceFor(copy, sizeBytes, signal));
    const request = {
      sources: [...urls.filter((url) => !isAvoided(url)), ...urls.filter(isAvoided)],
      partialPath: pool.partialPath(copy),
      expectedSizeBytes: input.expectedSizeBytes,
      pieces: input.hasPieces ? await readPieces(pool, copy) : undefined,
      hasVouchedDigest: input.hasVouchedDigest,
      isOneAtATime: input.isOneAtATime,
      algorithms: input.algorithms,
      settings,
    };
    const onProgress = (progress: DownloadProgress): void => {
      heartbeat(progress);
      if (progress.totalBytes !== undefined) space.sizeIs(progress.totalBytes);
    };
    try {
      const signal = AbortSignal.any([cancellationSignal(), space.signal]);
      return await download(request, {
        signal,
        registered,
        proxy,
        trust: certificates.trust,
        onProgress,
        limitsOf: (url) => bandwidth.limitsFor(input.poolId, url.origin),
        unpack: (file, unpackSignal, onBytes) =>
          unpackWhileGrowing({
            input: file,
            outputPath: pool.unpackedPath(copy),
            limits: { maxOutputBytes: settings.maxSizeBytes },
            signal: unpackSignal,
            onProgress: onBytes,
          }),
      });
    } catch (error) {
      throw space.signal.aborted ? space.signal.reason : error;
    } finally {
      await space.ended();
    }
  };

const BEAT_EVERY_MS = 5_000;

/** Taking over many bytes has no progress to tell, and must not look like a process that has ended. */
async function beatWhile(work: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => heartbeat(), BEAT_EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}
