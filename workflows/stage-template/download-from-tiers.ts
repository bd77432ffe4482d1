import { setCurrentDetails } from '@temporalio/workflow';
import type { Digest } from '../../shared/checksum.js';
import { shortReason } from '../../shared/failures.js';
import type { DownloadResult, MirrorReport } from '../../shared/images.js';
import type { SealedSourcePlan, SealedTier, StagePlan, TemplateCopyRef } from '../../shared/templates.js';
import { transferOnHost } from '../activity-proxies.js';
import { failureDetails, failureOf, toWorkflowFailure } from '../failure-of.js';
import { surviveRestart, type WatchedHost } from './survive-restart.js';
import { type Demand, takeTurn } from './take-turn.js';

export interface TierWalk {
  plan: StagePlan;
  copy: TemplateCopyRef;
  /** A dead try whose bytes are taken over. */
  resumeFrom: TemplateCopyRef | null;
  sources: SealedSourcePlan;
  expected: Digest[];
  /** Mirrors that have delivered wrong bytes before, without user info and query: tried last. */
  guilty: readonly string[];
  isOneAtATime: boolean;
  watched: WatchedHost;
  demand: Demand;
  label: string;
}

/** Walks the tiers in order, one activity per tier, until one has delivered the whole file. */
export async function downloadFromTiers(walk: TierWalk): Promise<DownloadResult> {
  const { plan, copy, resumeFrom, sources, expected, guilty, isOneAtATime, watched, demand, label } = walk;
  const reports: MirrorReport[] = [];
  const tiers = orderTiers(sources.tiers, guilty);
  for (const [index, tier] of tiers.entries()) {
    const summary = `tier ${index + 1}/${tiers.length}: ${describeTier(tier)}`;
    setCurrentDetails(
      shortReason(
        [`**${plan.templateName}** on **${plan.hostName}**: ${label}, ${summary}`, ...reports.map(describeReport)].join(
          '\n- ',
        ),
      ),
    );
    try {
      const download = (turn: Demand) =>
        transferOnHost(plan.hostId, summary, { ...turn, totalTimeoutMs: plan.settings.totalTimeoutMs }).downloadTier({
          poolId: plan.poolId,
          copy,
          resumeFrom,
          tier,
          avoid: [...guilty],
          expectedSizeBytes: sources.sizeBytes,
          hasPieces: sources.hasPieces,
          hasVouchedDigest: expected.length > 0,
          isOneAtATime,
          algorithms: expected.length > 0 ? expected.map(({ algorithm }) => algorithm) : ['SHA-256'],
          settings: plan.settings,
        });
      const result = await surviveRestart(() => takeTurn(demand, download), watched, plan.reconnectGraceMs);
      return { ...result, mirrors: [...reports, ...result.mirrors] };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== 'SLIPWAY_SOURCES_EXHAUSTED') throw error;
      reports.push(...((failureDetails(error) as MirrorReport[] | undefined) ?? []));
    }
  }
  throw toWorkflowFailure({
    code: 'SLIPWAY_SOURCES_EXHAUSTED',
    message: shortReason(`No source could be read: ${reports.map(describeReport).join('; ')}`),
    causes: [...new Set(reports.flatMap(({ code }) => code ?? []))],
  });
}

/** Tiers in which every mirror is guilty go last; otherwise the document's order stands. */
export function orderTiers(tiers: readonly SealedTier[], guilty: readonly string[]): SealedTier[] {
  const isGuilty = ({ mirrors }: SealedTier) => mirrors.every((mirror) => guilty.includes(mirror));
  return [...tiers.filter((tier) => !isGuilty(tier)), ...tiers.filter(isGuilty)];
}

/** For example `2 mirrors, priority 10, de`; a single source is named. */
function describeTier({ mirrors, priority, location }: SealedTier): string {
  const who = mirrors.length === 1 ? mirrors[0]! : `${mirrors.length} mirrors`;
  return [who, `priority ${priority}`, ...(location === undefined ? [] : [location])].join(', ');
}

const describeReport = ({ url, reason }: MirrorReport): string => `${url}: ${reason ?? 'failed'}`;
