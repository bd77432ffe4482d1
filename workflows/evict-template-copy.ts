import { continueAsNew, isCancellation, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { EvictTemplateCopyInput } from '../shared/templates.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * Removes a copy that nothing uses from its pool: its file on an Up host of the pool, then its row. Nobody can join it
 * meanwhile. What is on disk has the last word: a copy that an unknown file stands on stays. While no host can do it,
 * the copy waits here.
 */
export async function evictTemplateCopy(input: EvictTemplateCopyInput): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (await tryHosts(input)) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof evictTemplateCopy>(input);
    await sleep(pauseMs, { summary: 'until a host of the pool can remove it' });
  }
}

/** @returns whether the copy is gone, or was found in use */
async function tryHosts({ spoolRefId }: EvictTemplateCopyInput): Promise<boolean> {
  const excludedHostIds: string[] = [];
  const reasons: string[] = [];
  for (;;) {
    const planned = await control('pick a host of the pool').planEviction({ spoolRefId, excludedHostIds });
    if (planned.outcome === 'obsolete') return true;
    if (planned.outcome === 'no host') {
      setCurrentDetails(['Waiting for a host of the pool that is Up', ...reasons].join('\n\n'));
      return false;
    }
    const { hostId, hostName, poolId, poolName, templateName, copy } = planned.plan;
    setCurrentDetails(`Removing **${templateName}** from pool ${poolName} on **${hostName}**`);
    try {
      const { removeTemplateCopy } = onHost(hostId, `remove ${templateName} from ${poolName}`);
      const { overlays, usedBytes } = await removeTemplateCopy({ poolId, copy });
      if (overlays.length === 0) {
        await control('give the space back').recordEvicted({ spoolRefId, usedBytes });
        setCurrentDetails(`**${templateName}** is gone from pool ${poolName}`);
      } else {
        await control('something stands on it: it stays').keepCopy({ spoolRefId, overlays });
        setCurrentDetails(`**${templateName}** stays on pool ${poolName}: ${overlays.length} files stand on it`);
      }
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      excludedHostIds.push(hostId);
      reasons.push(`${hostName}: ${failureOf(error).message}`);
    }
  }
}
