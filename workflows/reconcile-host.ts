import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  InventoryCursor,
  PoolRange,
  ReconcileHostInput,
  ReconciliationPlan,
  ReconciliationRest,
  ReconciliationTally,
  SettledInventory,
} from '../shared/reconciliation.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/** A host that cannot be asked is asked again by the next of these workflows, and not all the time. */
const PAUSE_MS = 30_000;
const NOTHING: SettledInventory = { removed: [], inUse: [], missing: [] };

/**
 * Compares what a host has with the database: what is on its pools and in libvirt is listed, and only then the database
 * is asked. What counts for nothing, and never will again, is removed; what is missing is looked for once more; whatever
 * else differs is reported, once, and left alone. Pools with many files are compared in parts, each listed by itself.
 */
export async function reconcileHost({ hostId, rest }: ReconcileHostInput): Promise<void> {
  const plan = rest?.plan ?? (await control('what is there to compare?').planReconciliation({ hostId }));
  if (!plan) return;
  const { hostName, poolIds } = plan;
  let left: ReconciliationRest | undefined;
  try {
    left = await compareParts(hostId, plan, rest);
  } catch (error) {
    // Else a host that is asked again and again, and cannot tell, would keep its pools from the others.
    await CancellationScope.nonCancellable(() => control('for another host').leavePools({ poolIds }));
    if (isCancellation(error)) throw error;
    setCurrentDetails(`**${hostName}** could not be compared: ${failureOf(error).message}`);
    await sleep(PAUSE_MS, { summary: 'before it is tried again' });
    throw error;
  }
  if (left) await continueAsNew<typeof reconcileHost>({ hostId, rest: left });
}

/** @returns what is left when the history has grown */
async function compareParts(
  hostId: string,
  plan: ReconciliationPlan,
  rest: ReconciliationRest | undefined,
): Promise<ReconciliationRest | undefined> {
  const { hostName, poolIds } = plan;
  const readIds = rest?.readIds ?? [];
  const tally: ReconciliationTally = rest?.tally ?? { removed: 0, leftAlone: 0, missing: 0 };
  let from: InventoryCursor | undefined = rest?.from;
  do {
    if (from && workflowInfo().continueAsNewSuggested) return { plan, from, readIds, tally };
    setCurrentDetails(`Listing what **${hostName}** has, and the files of ${poolIds.length} pools`);
    const inventory = await onHost(hostId, `list files of ${poolIds.length} pools`).takeInventory({ poolIds, from });
    const comparison = await control('compare').compareInventory({ hostId, inventory, poolIds, from });
    // A control worker of an older version knows of no parts.
    const listed: PoolRange[] = inventory.pools.map(({ poolId, after, upTo }) => ({ poolId, after, upTo }));
    const { settlement, findings, ranges = listed, next } = comparison;
    const { orphans, missing, goneVmIds } = settlement;
    const isDone = orphans.length + missing.length + goneVmIds.length === 0;
    const summary = `remove ${orphans.length} orphans, look for ${missing.length} files`;
    const settled = isDone ? NOTHING : await onHost(hostId, summary).settleInventory(settlement);
    const { bootId } = inventory;
    const told = { hostId, bootId, ranges, findings, settled };
    await control('report what differs').recordReconciled({ ...told, isFirst: !from, isLast: !next });
    readIds.push(...ranges.filter(({ upTo }) => upTo === undefined).map(({ poolId }) => poolId));
    tally.removed += settled.removed.length;
    tally.leftAlone += findings.length + settled.inUse.length;
    tally.missing += settled.missing.length;
    from = next;
  } while (from);
  const unreadIds = poolIds.filter((id) => !readIds.includes(id));
  if (unreadIds.length > 0) await control('for another host').leavePools({ poolIds: unreadIds });
  setCurrentDetails(
    `**${hostName}**: ${tally.removed} orphans removed, ${tally.leftAlone} other files or VMs left alone, ` +
      `${tally.missing} files missing`,
  );
  return undefined;
}
