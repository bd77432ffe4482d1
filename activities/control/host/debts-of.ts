import { and, eq, sql } from 'drizzle-orm';
import { capacityClaim, cleanupDebt, host, vmInstance, volumes } from '../../../db/schema/index.js';
import type { Debt } from '../../../shared/virtual-machines.js';
import type { Transaction } from '../dependencies.js';

/** Undo that a host owes, the oldest first. */
export async function debtsOf(tx: Transaction, hostId: string): Promise<Debt[]> {
  return tx
    .select({
      vmId: cleanupDebt.vmId,
      token: cleanupDebt.token,
      keepsDisk: cleanupDebt.keepsDisk,
      hostId: host.id,
      hostName: host.name,
      poolId: capacityClaim.poolId,
      volumeId: volumes.id,
      endToken: sql<
        number | null
      >`case when ${vmInstance.state} in ('Expunging', 'Expunged') then ${vmInstance.fenceToken} end`.mapWith(Number),
      // Its disk may be in use elsewhere: then its guest must not go on writing to it for as long as it takes to ask.
      isForced: sql<boolean>`${host.resourceState} = 'Degraded' or coalesce(${vmInstance.hostId} <> ${host.id}, false)`,
    })
    .from(cleanupDebt)
    .innerJoin(host, eq(host.id, cleanupDebt.hostId))
    .innerJoin(capacityClaim, and(eq(capacityClaim.vmId, cleanupDebt.vmId), eq(capacityClaim.token, cleanupDebt.token)))
    .innerJoin(vmInstance, eq(vmInstance.id, cleanupDebt.vmId))
    .innerJoin(volumes, and(eq(volumes.instanceId, cleanupDebt.vmId), eq(volumes.volumeType, 'ROOT')))
    .where(eq(cleanupDebt.hostId, hostId))
    .orderBy(cleanupDebt.created);
}
