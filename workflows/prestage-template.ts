import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  executeChild,
  isCancellation,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Failure } from '../shared/failures.js';
import { templateKey } from '../shared/search-attributes.js';
import type { PrestageProgress, PrestageRequest, PrestageTemplateInput } from '../shared/templates.js';
import { control } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
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
  let hasMore = false;
  let failure: Failure | undefined;
  let isCancelled = false;
  try {
    hasMore = await stageOnPools(input, progress);
  } catch (error) {
    isCancelled = isCancellation(error);
    failure = failureOf(error);
  }
  if (hasMore) await continueAsNew<typeof prestageTemplate>({ ...input, soFar: progress });
  await CancellationScope.nonCancellable(() =>
    control('the job has ended').recordPrestaged({ ...input, progress, failure, isCancelled }),
  );
  if (!failure) return;
  throw isCancelled ? new CancelledFailure(failure.message) : toWorkflowFailure(failure);
}

/** @returns whether there are more pools than one history should hold */
async function stageOnPools(input: PrestageTemplateInput, progress: PrestageProgress): Promise<boolean> {
  for (;;) {
    const { lastPoolId: afterPoolId } = progress;
    const pools = await control('the next pools').listPrestagePools({ ...input, afterPoolId });
    const last = pools?.at(-1);
    if (!pools || !last) return false;
    const left = [...pools];
    const lanes = Array.from({ length: WINDOW }, async () => {
      for (let next = left.shift(); next; next = left.shift()) await stageOnPool(next, progress);
    });
    // All of them, also when this is cancelled: who waits has to leave the download before this workflow ends.
    const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
    if (failed) throw failed.reason;
    progress.lastPoolId = last.poolId;
    // The next run would know nothing of a cancellation that has come to this one.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('Cancelled between two pages');
    if (workflowInfo().continueAsNewSuggested) return true;
  }
}

async function stageOnPool(request: PrestageRequest, progress: PrestageProgress): Promise<void> {
  const { poolId, poolName, templateId, templateName } = request;
  try {
    await executeChild(prestageTemplateOnPool, {
      args: [request],
      workflowId: `${workflowInfo().workflowId}-${poolId}`,
      typedSearchAttributes: [{ key: templateKey, value: templateId }],
      staticSummary: `bring template ${templateName} to pool ${poolName}`,
    });
    progress.readyCount++;
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
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
