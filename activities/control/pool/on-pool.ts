import { and, eq, inArray, ne, not } from 'drizzle-orm';
import { holdsCompute, isOwed } from '../../../db/claim-sql.js';
import { hasRunningJob } from '../../../db/job-sql.js';
import { capacityClaim, host, templateSpoolRef, vmInstance, vmTemplate, volumes } from '../../../db/schema/index.js';
import type { Transaction } from '../dependencies.js';

const named = { id: vmInstance.id, name: vmInstance.name, state: vmInstance.state };

/** VMs that may run from the pool, one that is about to included. On a Degraded host nothing runs: an operator says so. */
export const computingFrom = (tx: Transaction, poolId: string) =>
  tx
    .selectDistinct(named)
    .from(capacityClaim)
    .innerJoin(vmInstance, eq(vmInstance.id, capacityClaim.vmId))
    .innerJoin(host, eq(host.id, capacityClaim.hostId))
    .where(
      and(eq(capacityClaim.poolId, poolId), holdsCompute, not(and(eq(host.resourceState, 'Degraded'), isOwed(tx))!)),
    )
    .orderBy(vmInstance.name);

/** VMs with a disk there that an operation works on: it may be making another one. */
export const workedOnFrom = (tx: Transaction, poolId: string) =>
  tx
    .selectDistinct(named)
    .from(volumes)
    .innerJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
    .where(and(eq(volumes.poolId, poolId), ne(volumes.state, 'Expunged'), hasRunningJob(tx, vmInstance.id)))
    .orderBy(vmInstance.name);

/** Templates that are on their way to the pool, or are being removed from it. */
export const movingTemplates = (tx: Transaction, poolId: string) =>
  tx
    .selectDistinct({ name: vmTemplate.name })
    .from(templateSpoolRef)
    .innerJoin(vmTemplate, eq(vmTemplate.id, templateSpoolRef.templateId))
    .where(
      and(
        eq(templateSpoolRef.poolId, poolId),
        inArray(templateSpoolRef.state, ['Allocated', 'Downloading', 'Evicting']),
      ),
    )
    .orderBy(vmTemplate.name);
