import { CancellationScope, isCancellation, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { ReconcileHostInput, SettledInventory } from '../shared/reconciliation.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/** A host that cannot be asked is asked again by the next of these workflows, and not all the time. */
const PAUSE_MS = 30_000;
const NOTHING: SettledInventory = { removed: [], inUse: [], missing: [] };

/**
 * Compares what a host has with the database: what is on its pools and in libvirt is listed, and only then the database
 * is asked. What counts for nothing, and never will again, is removed; what is missing is looked for once more; whatever
 * else differs is reported, once, and left alone.
 */
export async function reconcileHost({ hostId }: ReconcileHostInput): Promise<void> {
  const plan = await control('what is there to compare?').planReconciliation({ hostId });
  if (!plan) return;
  const { hostName, poolIds } = plan;
  try {
    setCurrentDetails(`Listing what **${hostName}** has, and the files of ${poolIds.length} pools`);
    const inventory = await onHost(hostId, `list files of ${poolIds.length} pools`).takeInventory({ poolIds });
    const { settlement, findings } = await control('compare').compareInventory({ hostId, inventory });
    const { orphans, missing, goneVmIds } = settlement;
    const isDone = orphans.length + missing.length + goneVmIds.length === 0;
    const summary = `remove ${orphans.length} orphans, look for ${missing.length} files`;
    const settled = isDone ? NOTHING : await onHost(hostId, summary).settleInventory(settlement);
    const readIds = inventory.pools.map(({ poolId }) => poolId);
    const { bootId } = inventory;
    await control('report what differs').recordReconciled({ hostId, bootId, poolIds: readIds, findings, settled });
    const unreadIds = poolIds.filter((id) => !readIds.includes(id));
    if (unreadIds.length > 0) await control('for another host').leavePools({ poolIds: unreadIds });
    setCurrentDetails(
      `**${hostName}**: ${settled.removed.length} orphans removed, ${findings.length + settled.inUse.length} other ` +
        `files or VMs left alone, ${settled.missing.length} files missing`,
    );
  } catch (error) {
    // Else a host that is asked again and again, and cannot tell, would keep its pools from the others.
    await CancellationScope.nonCancellable(() => control('for another host').leavePools({ poolIds }));
    if (isCancellation(error)) throw error;
    setCurrentDetails(`**${hostName}** could not be compared: ${failureOf(error).message}`);
    await sleep(PAUSE_MS, { summary: 'before it is tried again' });
    throw error;
  }
}
