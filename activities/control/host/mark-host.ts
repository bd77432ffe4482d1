import { and, eq, isNull, notInArray, sql } from 'drizzle-orm';
import { unlessEnded } from '../../../client/unless-ended.js';
import { host, storagePool, storagePoolHostRef, templateSpoolRef } from '../../../db/schema/index.js';
import type { HostChanged, HostWord } from '../../../shared/hosts.js';
import { boundedText } from '../../../shared/bounded-text.js';
import type { Debt } from '../../../shared/virtual-machines.js';
import { stageWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';
import { debtsOf } from './debts-of.js';
import { isToBeTold } from '../keystore/record-report.js';
import { heedWord } from './heed-word.js';

/** Characters: it comes from the host. */
const LONGEST_REASON = 4_000;

export interface MarkHostUpInput extends HostWord {
  bootId: string;
  /** Whether it is not to be Up while certificates wait to be brought to it. */
  waitsForCertificates?: boolean;
}

/**
 * Up; or Alert, when it is there and cannot use any of its pools. Not while it owes something: between its hello and now
 * an operator may have taken its VMs for stopped, and they may start elsewhere. Nor while it trusts something else than it
 * should: that may have been changed since it was told.
 *
 * @returns what it has to pay first, or that it is to be told what to trust once more
 */
export const markHostUp =
  (dependencies: ControlDependencies) =>
  async ({ bootId, waitsForCertificates = false, ...word }: MarkHostUpInput): Promise<Debt[] | 'certificates'> => {
    const first = await dependencies.db.transaction(async (tx) => {
      if (!(await heedWord(tx, word))) return [];
      const owed = await debtsOf(tx, word.hostId);
      if (owed.length > 0) return owed;
      if (waitsForCertificates && (await isToBeTold(tx, word.hostId))) return 'certificates';
      await judgeHost(tx, word.hostId);
      return [];
    });
    if (first.length === 0) await tellStages(dependencies, { ...word, status: 'Up', bootId });
    return first;
  };

/** Down moves no VM and ends no download: Temporal itself may have been away for seconds. */
export const markHostDown =
  (dependencies: ControlDependencies) =>
  async (word: HostWord): Promise<void> => {
    await ifLatest(dependencies, word, (tx) => setStatus(tx, word.hostId, { status: 'Down' }));
    await tellDown(dependencies, word);
  };

/** Stages that download there wait for a while, and then take another host. */
export async function tellDown(dependencies: ControlDependencies, word: HostWord): Promise<void> {
  const [self] = await dependencies.db.select().from(host).where(eq(host.id, word.hostId));
  await tellStages(dependencies, { ...word, status: 'Down', bootId: self?.bootId ?? null });
}

/** It answers and cannot serve, as without libvirt. Downloads need nothing of that, and are not told. */
export const markHostAlert =
  (dependencies: ControlDependencies) =>
  ({ reason, ...word }: HostWord & { reason: string }): Promise<void> =>
    ifLatest(dependencies, word, (tx) => setStatus(tx, word.hostId, { status: 'Alert', reason }));

/** What was overtaken changes nothing; stages see by themselves that it is old. */
const ifLatest = (
  { db }: ControlDependencies,
  word: HostWord,
  act: (tx: Transaction) => Promise<void>,
): Promise<void> =>
  db.transaction(async (tx) => {
    if (await heedWord(tx, word)) await act(tx);
  });

/** A host that answers is Up, as long as it can use one of its pools. @returns what it is now, if nobody has revoked it */
export async function judgeHost(tx: Transaction, hostId: string): Promise<'Up' | 'Alert'> {
  const pools = await tx
    .select({ name: storagePool.name, problem: storagePoolHostRef.problem })
    .from(storagePoolHostRef)
    .innerJoin(storagePool, eq(storagePool.id, storagePoolHostRef.poolId))
    .where(and(eq(storagePoolHostRef.hostId, hostId), isNull(storagePool.removed)));
  const isUseless = pools.length > 0 && pools.every(({ problem }) => problem !== null);
  const reason = pools.map(({ name, problem }) => `pool ${name}: ${problem}`).join('; ');
  const judged = isUseless ? ({ status: 'Alert', reason } as const) : ({ status: 'Up' } as const);
  await setStatus(tx, hostId, judged);
  return judged.status;
}

async function setStatus(
  tx: Transaction,
  hostId: string,
  { status, reason }: { status: 'Up' | 'Down' | 'Alert'; reason?: string },
): Promise<void> {
  const [changed] = await tx
    .update(host)
    .set({ status, lastPinged: sql`now()` })
    .where(and(eq(host.id, hostId), notInArray(host.status, [status, 'Revoked', 'Removed'])))
    .returning();
  if (!changed) return;
  await recordEvent(tx, {
    type: `HOST.${status.toUpperCase()}`,
    level: status === 'Up' ? 'INFO' : 'WARN',
    description: `Host ${changed.name} is ${status}${reason === undefined ? '' : `: ${boundedText(reason, LONGEST_REASON)}`}`,
    resourceType: 'Host',
    resourceId: hostId,
  });
}

/** A stage on this host need not wait for its heartbeat timeout to learn that the process it runs in has ended. */
async function tellStages({ db, client }: ControlDependencies, change: HostChanged): Promise<void> {
  const stages = await db
    .select()
    .from(templateSpoolRef)
    .where(and(eq(templateSpoolRef.hostId, change.hostId), eq(templateSpoolRef.state, 'Downloading')));
  await Promise.all(
    stages.map(({ poolId, templateId, generation }) => {
      const stage = client.workflow.getHandle(stageWorkflowId(poolId, templateId, generation));
      return unlessEnded(stage.signal('hostChanged', change));
    }),
  );
}
