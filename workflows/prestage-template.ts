import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  executeChild,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { templateKey } from '../shared/search-attributes.js';
import type { PrestageProgress, PrestageRequest, PrestageTemplateInput } from '../shared/templates.js';
import { control } from './activity-proxies.js';
import { failJob } from './fail-job.js';
import { failureOf } from './failure-of.js';
import { mapAtMost } from './map-at-most.js';
import { onceFormerChildIsGone } from './once-former-child-is-gone.js';
import { prestageTemplateOnPool } from './prestage-template-on-pool.js';

/** Pools at a time: the source is the same for all of them, and each is some lines in this history. */
const WINDOW = 10;
/** Reasons that are kept: they travel from run to run. */
const NAMED_POOLS = 50;

/**
 * Brings a template to a pool, or to every pool of a zone, before anything needs it there: ten pools at a time. A pool
 * that has it already is done at once, and one that cannot get it holds up no other.
 */
export async function prestageTemplate(input: PrestageTemplateInput): Promise<void> {
  const progress = input.soFar ?? { lastPoolId: null, readyCount: 0, failedCount: 0, failures: [] };
  let hasMore: boolean;
  try {
    hasMore = await stageOnPools(input, progress);
  } catch (error) {
    return failJob(error, (end) => control('the job has ended').recordPrestaged({ ...input, ...end, progress }));
  }
  if (hasMore) await continueAsNew<typeof prestageTemplate>({ ...input, soFar: progress });
  await CancellationScope.nonCancellable(() =>
    control('the job has ended').recordPrestaged({ ...input, progress, isCancelled: false }),
  );
}

/** @returns whether there are more pools than one history should hold */
async function stageOnPools(input: PrestageTemplateInput, progress: PrestageProgress): Promise<boolean> {
  for (;;) {
    const { lastPoolId: afterPoolId } = progress;
    const pools = await control('the next pools').listPrestagePools({ ...input, afterPoolId });
    const last = pools?.at(-1);
    if (!pools || !last) return false;
    // All of them, also when this is cancelled: who waits has to leave the download before this workflow ends.
    await mapAtMost(WINDOW, pools, (pool) => stageOnPool(pool, progress));
    // The next run would know nothing of a cancellation that has come to this one.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('It was cancelled');
    progress.lastPoolId = last.poolId;
    if (workflowInfo().continueAsNewSuggested) return true;
  }
}

async function stageOnPool(request: PrestageRequest, progress: PrestageProgress): Promise<void> {
  const { poolId, poolName, templateId, templateName } = request;
  try {
    await onceFormerChildIsGone(`${workflowInfo().workflowId}-${poolId}`, (workflowId) =>
      executeChild(prestageTemplateOnPool, {
        args: [request],
        workflowId,
        typedSearchAttributes: [{ key: templateKey, value: templateId }],
        staticSummary: `bring template ${templateName} to pool ${poolName}`,
      }),
    );
    progress.readyCount++;
  } catch (error) {
    // Cancelled, each of them ends so, and the page is left when all have.
    if (CancellationScope.current().consideredCancelled) return;
    progress.failedCount++;
    if (progress.failures.length < NAMED_POOLS) progress.failures.push({ poolName, ...failureOf(error) });
  }
  const { readyCount, failedCount, failures } = progress;
  setCurrentDetails(
    [`**${templateName}** is on ${readyCount} pools; ${failedCount} did not get it`]
      .concat(failures.map((failure) => `${failure.poolName}: ${failure.message}`))
      .join('\n- '),
  );
}
