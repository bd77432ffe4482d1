import { download, type DownloadContext, type DownloadRequest } from '../../kvm/download/download.js';
import type { Tier } from '../../kvm/metalink/metalink-file.js';
import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import type { DownloadResult, MirrorReport } from '../../shared/images.js';

export interface TierWalk {
  /** Best first. */
  tiers: readonly Tier[];
  /** Have sent wrong bytes: without user info and query. They come last. */
  guilty: ReadonlySet<string>;
  request: Omit<DownloadRequest, 'sources'>;
  context: DownloadContext;
  note: (text: string) => void;
}

/**
 * Goes through the tiers in order until one has delivered the whole file.
 *
 * @returns with a report for each source that was tried
 * @throws SlipwayError SLIPWAY_SOURCES_EXHAUSTED with `MirrorReport[]` as details; else as `download`
 */
export async function downloadFromTiers({ tiers, guilty, request, context, note }: TierWalk): Promise<DownloadResult> {
  const isGuilty = (url: string): boolean => guilty.has(displayUrl(url));
  const ordered = guiltyLast(tiers, ({ urls }) => urls.every(isGuilty));
  const reports: MirrorReport[] = [];
  for (const [index, { urls }] of ordered.entries()) {
    try {
      const result = await download({ ...request, sources: guiltyLast(urls, isGuilty) }, context);
      return { ...result, mirrors: [...reports, ...result.mirrors] };
    } catch (error) {
      if (!isSlipwayError(error) || error.code !== 'SLIPWAY_SOURCES_EXHAUSTED') throw error;
      reports.push(...(error.details as MirrorReport[]));
      if (index < ordered.length - 1) note(`Tier ${index + 1} of ${ordered.length} has failed: trying the next`);
    }
  }
  const lines = reports.flatMap(({ reason }) => reason ?? []);
  throw new SlipwayError('SLIPWAY_SOURCES_EXHAUSTED', ['No source could be read', ...lines].join('\n'), {
    details: reports,
  });
}

const guiltyLast = <T>(items: readonly T[], isGuilty: (item: T) => boolean): T[] => [
  ...items.filter((item) => !isGuilty(item)),
  ...items.filter(isGuilty),
];
