import { and, eq, inArray, ne, not, notInArray, or } from 'drizzle-orm';
import { hasRecentJob, hasRunningJob } from '../../../db/job-sql.js';
import { asyncJob, capacityClaim, host, vmInstance } from '../../../db/schema/index.js';
import type { DomainReport } from '../../../shared/hosts.js';
import type { Debt } from '../../../shared/virtual-machines.js';
import { releaseCompute } from '../virtual-machine/capacity.js';
import type { Transaction } from '../dependencies.js';
import { recordVmEvent } from '../virtual-machine/vm-operation.js';

/** Longer than what a host says is on its way, and shorter than it takes a host to say it again. */
const DOUBTFUL_SECONDS = 30;

const LEAVE_IT_RUNNING = ['attachIso', 'detachIso', 'rebootVirtualMachine', 'restoreVirtualMachine'];

/**
 * A domain that died or was shut down from inside is Stopped, and what it had of its host is free again; a VM that an
 * operation is working on is left to it. The token guards against a report that is older than the VM's present domain.
 */
export async function followDomains(tx: Transaction, hostId: string, domains: DomainReport[]): Promise<void> {
  const ended = domains.filter(({ state }) => state === 'Stopped' || state === 'Crashed');
  if (ended.length === 0) return;
  const hasEnded = and(
    eq(vmInstance.hostId, hostId),
    eq(vmInstance.state, 'Running'),
    or(...ended.map(({ vmId, token }) => and(eq(vmInstance.id, vmId), eq(vmInstance.fenceToken, token)))),
    // These do not end the domain, as long as the VM is Running: one that has ended will not be back.
    not(hasRunningJob(tx, vmInstance.id, notInArray(asyncJob.workflowType, LEAVE_IT_RUNNING))),
  );
  // An update takes them in any order, and whoever puts tags on several has one of them and waits for another.
  await tx.select({ id: vmInstance.id }).from(vmInstance).where(hasEnded).orderBy(vmInstance.id).for('no key update');
  const stopped = await tx.update(vmInstance).set({ state: 'Stopped', hostId: null }).where(hasEnded).returning();
  for (const vm of stopped) {
    await releaseCompute(tx, vm.id, vm.fenceToken);
    await recordVmEvent(tx, vm, 'STOP', 'WARN', `VM ${vm.name} stopped by itself`);
  }
}

/**
 * Domains that should not run here, as debts of the host: of a VM that is not Running, or that runs on another host. A
 * host that was cut off may have started one late. Their tokens make it safe to end them: a domain of a later operation
 * is not touched, however old the report is. Of a VM that an operation has only just ended a report may be from before
 * that: it is doubtful, and its owner is told nothing. What the host says once more, asked after the first time was
 * recorded, is from after that.
 *
 * @param seenBefore those that were doubtful the last time
 */
export async function straysOf(
  tx: Transaction,
  hostId: string,
  domains: DomainReport[],
  seenBefore: readonly Pick<DomainReport, 'vmId' | 'token'>[],
): Promise<Debt[]> {
  const alive = domains.filter(({ state }) => state === 'Running' || state === 'Paused');
  if (alive.length === 0) return [];
  const rows = await tx
    .select({ vm: vmInstance, hostName: host.name, isRecent: hasRecentJob(tx, vmInstance.id, DOUBTFUL_SECONDS) })
    .from(vmInstance)
    .innerJoin(host, eq(host.id, hostId))
    .where(
      and(
        inArray(
          vmInstance.id,
          alive.map(({ vmId }) => vmId),
        ),
        or(
          inArray(vmInstance.state, ['Stopped', 'Destroyed', 'Expunged', 'Error']),
          and(eq(vmInstance.state, 'Running'), ne(vmInstance.hostId, hostId)),
        ),
        not(hasRunningJob(tx, vmInstance.id)),
      ),
    );
  const elsewhere = await heldElsewhere(tx, hostId, alive);
  const strays: Debt[] = [];
  for (const { vm, hostName, isRecent } of rows) {
    const { token } = alive.find(({ vmId }) => vmId === vm.id)!;
    // Its own domain it cannot have with the token of another host's, and the end of it would free what that one holds.
    if (elsewhere.some((claim) => claim.vmId === vm.id && claim.token === token)) continue;
    const isDoubtful = isRecent && !seenBefore.some((seen) => seen.vmId === vm.id && seen.token === token);
    if (!isDoubtful) {
      await recordVmEvent(tx, vm, 'STOP', 'WARN', {
        description: `VM ${vm.name} runs on host ${hostName}, and is ended there`,
        ownerDescription: `VM ${vm.name} runs on a host where it should not, and is ended there`,
      });
    }
    // The disks stay, whatever becomes of them: they are not looked at.
    const kept = { poolId: '', volumeId: '', keepsDisk: true, isForced: vm.state === 'Running' };
    strays.push({ hostName, ...kept, vmId: vm.id, hostId, token, isDoubtful });
  }
  return strays;
}

const heldElsewhere = (tx: Transaction, hostId: string, domains: DomainReport[]) =>
  tx
    .select({ vmId: capacityClaim.vmId, token: capacityClaim.token })
    .from(capacityClaim)
    .where(
      and(
        ne(capacityClaim.hostId, hostId),
        or(...domains.map(({ vmId, token }) => and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, token)))),
      ),
    );
