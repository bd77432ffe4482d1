import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { download } from '../../kvm/download/download.js';
import type { DigestAlgorithm } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import type { DownloadResult } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/settings.js';
import type { SealedTier, TemplateCopyRef } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';
import { openTier } from './tier-secrets.js';

export interface DownloadTierInput {
  poolId: string;
  copy: TemplateCopyRef;
  tier: SealedTier;
  /** Mirrors that have delivered wrong bytes before, without user info and query. */
  avoid: string[];
  expectedSizeBytes?: number;
  /** A whole-file hash will be compared: what one mirror began, another may continue. */
  hasVouchedDigest: boolean;
  algorithms: DigestAlgorithm[];
  settings: DownloadSettings;
}

/**
 * Downloads a template's file from the mirrors of one tier, resuming what an earlier try left. Each heartbeat carries
 * a `DownloadProgress`.
 */
export const downloadTier =
  (dependencies: HostDependencies) =>
  async (input: DownloadTierInput): Promise<DownloadResult> => {
    const pool = poolOf(dependencies, input.poolId);
    dependencies.begunCopies.add(input.poolId, input.copy);
    // Before the first byte: a pool that fills up at the end has wasted the whole download.
    if (input.expectedSizeBytes !== undefined) await pool.ensureSpaceFor(input.copy, input.expectedSizeBytes);
    const { urls, registered } = await openTier(input.tier.sealed, dependencies.keyPair);
    const isAvoided = (url: string) => input.avoid.includes(displayUrl(url));
    return download(
      {
        sources: [...urls.filter((url) => !isAvoided(url)), ...urls.filter(isAvoided)],
        partialPath: pool.partialPath(input.copy),
        expectedSizeBytes: input.expectedSizeBytes,
        hasVouchedDigest: input.hasVouchedDigest,
        algorithms: input.algorithms,
        settings: input.settings,
      },
      { signal: cancellationSignal(), registered, onProgress: (progress) => heartbeat(progress) },
    );
  };
