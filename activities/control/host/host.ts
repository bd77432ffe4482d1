import { and, eq, inArray, sql } from 'drizzle-orm';
import { announcePool, inOrder } from '../../../db/announce-pool.js';
import { requireClusterArch } from '../../../db/require-cluster-arch.js';
import { host, templateSpoolRef } from '../../../db/schema/index.js';
import type { KeystoreReport } from '../../../shared/certificates.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { DomainReport, HostStatus, HostWord } from '../../../shared/hosts.js';
import type { PoolCopies } from '../../../shared/templates.js';
import type { Debt } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { boundPartials, boundStatus } from './bound-status.js';
import { heedWord } from './heed-word.js';
import { debtsOf } from './debts-of.js';
import { followDomains, straysOf } from './follow-domains.js';
import { ignored } from './is-revoked.js';
import { judgeHost } from './mark-host.js';
import { isToBeTold, recordReport } from '../keystore/record-report.js';
import { noteMissingPools, recordPools } from './record-pools.js';
import { recordVersion, requireProtocol } from './record-version.js';

export interface HostArrears {
  hostName: string;
  zoneId: string;
  /** Undo that this host has not answered to, and domains that should not be there. */
  debts: Debt[];
  /** Of the partial files that the host has found: those that nobody will resume. */
  deadPartials: PoolCopies[];
}

export interface HelloInput extends HostWord {
  status: HostStatus;
  /** Template copies of which there are partial files on the host's pools. */
  partials: PoolCopies[];
}

/**
 * What a host that has come back has to do before it is Up. A debtor gets no new VMs meanwhile.
 *
 * @throws SlipwayError SLIPWAY_HOST_REMOVED; SLIPWAY_HOST_TOO_OLD; SLIPWAY_FENCED when a later word of the host was
 *   recorded before
 */
export const recordHello =
  ({ db }: ControlDependencies) =>
  async ({ hostId, sentMs, status: said, partials }: HelloInput): Promise<HostArrears> =>
    db.transaction(async (tx) => {
      const status = boundStatus(said);
      const isLatest = await heedWord(tx, { hostId, sentMs });
      const [self] = await tx.select().from(host).where(eq(host.id, hostId)).for('no key update');
      if (!self || self.removed !== null) throw removed(self?.name ?? hostId);
      requireTrusted(self);
      if (!isLatest) throw overtaken(self);
      requireProtocol(self, status.facts);
      const { arch } = status.facts;
      // One that joined before clusters had an architecture stays where it is.
      if (arch !== self.arch || self.bootId === null) await requireClusterArch(tx, { ...self, arch });
      for (const pool of inOrder(status.facts.pools)) await announcePool(tx, hostId, pool);
      await recordFacts(tx, hostId, status);
      await recordVersion(tx, self, status.facts);
      await recordReport(tx, self, status.facts.keystore);
      await noteMissingPools(tx, hostId, status.facts.pools);
      const debts = await arrearsOf(tx, hostId, status);
      if (debts.some(({ isDoubtful }) => !isDoubtful)) {
        await tx
          .update(host)
          .set({ status: 'Connecting' })
          .where(and(eq(host.id, hostId), eq(host.status, 'Up')));
      }
      return {
        hostName: self.name,
        zoneId: self.dataCenterId,
        debts,
        deadPartials: await deadOf(tx, boundPartials(partials)),
      };
    });

/**
 * Partial files that a host has found and that no stage works on or is about to take over, on whichever host of the pool.
 * They were found before this is asked, and an epoch is opened before its first file is made and never twice: what is
 * dead now stays so.
 */
async function deadOf(tx: Transaction, partials: PoolCopies[]): Promise<PoolCopies[]> {
  const live = await tx
    .select()
    .from(templateSpoolRef)
    .where(
      and(
        inArray(
          templateSpoolRef.poolId,
          partials.map(({ poolId }) => poolId),
        ),
        eq(templateSpoolRef.state, 'Downloading'),
      ),
    );
  return partials.map(({ poolId, copies }) => ({
    poolId,
    copies: copies.filter(
      (copy) =>
        !live.some(
          (row) =>
            row.poolId === poolId &&
            row.templateId === copy.templateId &&
            row.generation === copy.generation &&
            (row.epoch === copy.epoch || row.takenOverEpoch === copy.epoch),
        ),
    ),
  }));
}

async function arrearsOf(
  tx: Transaction,
  hostId: string,
  { domains }: HostStatus,
  doubtful: RecordHostStatusInput['doubtful'] = [],
): Promise<Debt[]> {
  const debts = await debtsOf(tx, hostId);
  const strays = await straysOf(tx, hostId, domains, doubtful);
  const isOwed = ({ vmId, token }: Debt): boolean => debts.some((debt) => debt.vmId === vmId && debt.token === token);
  return [...debts, ...strays.filter((stray) => !isOwed(stray))];
}

export interface RecordHostStatusInput extends HostWord {
  status: HostStatus;
  /** The certificates that it said it had the last time. A host worker of an older version says nothing of them. */
  keystoreBefore?: KeystoreReport | undefined;
  /** Domains that were doubtful in what it said before; what it says now it has said since. */
  doubtful?: Pick<DomainReport, 'vmId' | 'token'>[] | undefined;
}

/**
 * Facts, pools and VM states as the host sees them.
 *
 * @returns what it owes: a host that was Up may fail at an undo
 * @throws SlipwayError SLIPWAY_HOST_REMOVED; SLIPWAY_HOST_TOO_OLD when that is none; SLIPWAY_FENCED when a later word of
 *   the host was recorded before; SLIPWAY_KEYSTORE when it would be Up again and is to be told first what to trust
 */
export const recordHostStatus =
  ({ db }: ControlDependencies) =>
  async ({ hostId, sentMs, status: said, keystoreBefore, doubtful }: RecordHostStatusInput): Promise<Debt[]> =>
    db.transaction(async (tx) => {
      const status = boundStatus(said);
      const isLatest = await heedWord(tx, { hostId, sentMs });
      const [self] = await tx.select().from(host).where(eq(host.id, hostId)).for('no key update');
      // Whoever removed it may have died before its life was told: it would be watched until it says hello again.
      if (!self || self.removed !== null) throw removed(self?.name ?? hostId);
      requireTrusted(self);
      if (!isLatest) throw overtaken(self);
      // The control workers may be others than those that it said hello to.
      requireProtocol(self, status.facts);
      await recordVersion(tx, self, status.facts);
      await recordFacts(tx, hostId, status);
      await recordReport(tx, self, status.facts.keystore, keystoreBefore);
      const isBack = (await judgeHost(tx, hostId)) === 'Up' && self.status === 'Alert';
      if (isBack && status.facts.keystore && (await isToBeTold(tx, hostId))) throw untold(self);
      return arrearsOf(tx, hostId, status, doubtful);
    });

const removed = (hostName: string): SlipwayError =>
  new SlipwayError('SLIPWAY_HOST_REMOVED', `Host ${hostName} was removed from the installation`);

const overtaken = ({ name }: typeof host.$inferSelect): SlipwayError =>
  new SlipwayError('SLIPWAY_FENCED', `What host ${name} had said was recorded too late: something later was`);

/** Its life begins anew with this, as far as that its certificates come before it is Up. */
const untold = ({ name }: typeof host.$inferSelect): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_KEYSTORE',
    `Certificates were changed while host ${name} was Alert: it is told of them before it is Up`,
  );

/** @throws SlipwayError SLIPWAY_HOST_REVOKED: whoever has the machine may say anything */
function requireTrusted({ name, status }: typeof host.$inferSelect): void {
  if (status !== 'Revoked') return;
  throw ignored(name);
}

async function recordFacts(tx: Transaction, hostId: string, { facts, domains }: HostStatus): Promise<void> {
  await tx
    .update(host)
    .set({
      arch: facts.arch,
      cpus: facts.cpus,
      speedMhz: facts.cpuSpeedMhz,
      ramBytes: facts.memoryBytes,
      domainType: facts.domainType,
      hypervisorVersion: facts.hypervisorVersion,
      libvirtVersion: facts.libvirtVersion ?? null,
      missingTools: facts.missingTools ?? [],
      privateIpAddress: facts.ipAddress ?? null,
      bootId: facts.bootId,
      lastPinged: sql`now()`,
    })
    .where(eq(host.id, hostId));
  await recordPools(tx, hostId, facts.pools);
  await followDomains(tx, hostId, domains);
}
