import { and, eq, inArray, isNotNull, isNull, ne, notInArray, or, sql } from 'drizzle-orm';
import { findTransfer } from '../../../client/find-transfer.js';
import { readSettingsOf } from '../../../db/scoped-settings.js';
import {
  host,
  stageWaiter,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  templateSpoolRefEpoch,
  vmTemplate,
} from '../../../db/schema/index.js';
import { parseChecksum } from '../../../shared/checksum.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Failure } from '../../../shared/failures.js';
import { type DownloadSettings, downloadSettings } from '../../../shared/download-settings.js';
import type { InstalledTemplate, StagePlan, StageTemplateInput, TemplateCopyRef } from '../../../shared/templates.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { ignored, isRevoked } from '../host/is-revoked.js';
import { supersedeOlder } from './lock-copy.js';
import { sealTemplateUrl } from './seal-template-url.js';
import { forgetCopy, settleCopy } from './template-space.js';
import { wakeWaiters } from './wake-waiters.js';

export interface BeginStageInput extends StageTemplateInput {
  excludedHostIds: string[];
}

export type BeginStageResult =
  | { outcome: 'begun'; plan: StagePlan }
  | { outcome: 'no host' }
  /** The copy is Ready or gone: somebody started this workflow a moment after the last one had ended. */
  | { outcome: 'obsolete' };

/** Of no other try, ever. */
const newEpoch = sql<number>`nextval(${templateSpoolRefEpoch.seqName})`;

const isUnfinished = (spoolRefId: string) =>
  and(eq(templateSpoolRef.id, spoolRefId), inArray(templateSpoolRef.state, ['Allocated', 'Downloading']));

/** Picks an Up host of the pool and opens a new epoch for it: whoever worked for the last one may still write. */
export const beginStage =
  (dependencies: ControlDependencies) =>
  async (input: BeginStageInput): Promise<BeginStageResult> => {
    const { db } = dependencies;
    const chosen = await db.transaction(async (tx) => {
      const [wanted] = await tx.select().from(templateSpoolRef).where(isUnfinished(input.spoolRefId)).for('update');
      if (!wanted) return 'obsolete';
      const pick = await pickHost(tx, input);
      if (!pick) return 'no host';
      const settings = await readSettingsOf(tx, { hostId: pick.host.id });
      const [copy] = await tx
        .update(templateSpoolRef)
        .set({
          epoch: newEpoch,
          previousEpoch: null,
          takenOverEpoch: wanted.state === 'Downloading' ? wanted.epoch : null,
          state: 'Downloading',
          downloadState: 'DOWNLOAD_IN_PROGRESS',
          hostId: pick.host.id,
          bandwidth: { ...downloadSettings(settings).bandwidth, bootId: pick.host.bootId },
          downloadPct: 0,
          downloadedBytes: 0,
          bytesPerSecond: 0,
          isQueued: false,
          lastUpdated: sql`now()`,
        })
        .where(eq(templateSpoolRef.id, input.spoolRefId))
        .returning();
      return { ...pick, settings, copy: copy! };
    });
    if (typeof chosen === 'string') return { outcome: chosen };
    const [template] = await db.select().from(vmTemplate).where(eq(vmTemplate.id, input.templateId));
    if (!template) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${input.templateId} is gone`);
    const checksum = template.checksum === null ? undefined : parseChecksum(template.checksum);
    const { copy, settings } = chosen;
    const ref = { templateId: template.id, generation: copy.generation };
    const plan = {
      hostId: chosen.host.id,
      hostName: chosen.host.name,
      bootId: chosen.host.bootId,
      zoneId: chosen.host.dataCenterId,
      poolId: chosen.pool.id,
      poolName: chosen.pool.name,
      templateName: template.name,
      isShared: chosen.pool.scope !== 'HOST',
      copy: { ...ref, epoch: copy.epoch },
      resumeFrom: copy.takenOverEpoch === null ? null : { ...ref, epoch: copy.takenOverEpoch },
      format: template.format,
      url: await sealTemplateUrl(dependencies)({ templateId: template.id, hostId: chosen.host.id }),
      checksum: checksum && 'digest' in checksum ? checksum.digest : null,
      settings: withBandwidthAsOf(downloadSettings(settings), copy.lastUpdated),
      reconnectGraceMs: Number(settings['host.reconnect.grace']) * 1000,
    };
    return { outcome: 'begun', plan };
  };

const withBandwidthAsOf = (settings: DownloadSettings, begun: string): DownloadSettings => ({
  ...settings,
  bandwidth: { ...settings.bandwidth, asOfMs: Date.parse(begun) },
});

async function pickHost(tx: Transaction, { poolId, preferredHostId, excludedHostIds }: BeginStageInput) {
  const [pick] = await tx
    .select({ host, pool: storagePool })
    .from(storagePoolHostRef)
    .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
    .innerJoin(storagePool, eq(storagePool.id, storagePoolHostRef.poolId))
    .where(
      and(
        eq(storagePoolHostRef.poolId, poolId),
        isNull(host.removed),
        ne(host.status, 'Revoked'),
        excludedHostIds.length > 0 ? notInArray(host.id, excludedHostIds) : undefined,
      ),
    )
    // A host that is down for a moment is better than none: the short queue's timeout tells.
    .orderBy(
      sql`${host.status} = 'Up' desc`,
      sql`${storagePoolHostRef.problem} is null desc`,
      // One in maintenance goes on with what it downloads, and begins nothing that another one can.
      sql`${host.resourceState} = 'Enabled' desc`,
      sql`${host.id} = ${preferredHostId} desc`,
      host.name,
    )
    .limit(1);
  return pick;
}

/** Whether the download of a stage waits for a slot of its host. */
export const isTransferQueued =
  ({ client }: Pick<ControlDependencies, 'client'>) =>
  async ({ workflowId }: { workflowId: string }): Promise<boolean> =>
    (await findTransfer(client, workflowId))?.isQueued ?? false;

/**
 * Whether the file of a try is the pool's copy. A stage that was reset in the Web UI after it had succeeded does its work
 * again; when it fails then, the file that disks stand on by now must not be discarded.
 */
export const isCopyInstalled =
  ({ db }: ControlDependencies) =>
  async ({ spoolRefId, copy }: { spoolRefId: string; copy: TemplateCopyRef }): Promise<boolean> => {
    const [row] = await db
      .select({ id: templateSpoolRef.id })
      .from(templateSpoolRef)
      .where(
        and(
          eq(templateSpoolRef.id, spoolRefId),
          eq(templateSpoolRef.epoch, copy.epoch),
          isNotNull(templateSpoolRef.installPath),
        ),
      );
    return row !== undefined;
  };

/**
 * A new try on the same host, with files of its own: what the last one left can never count.
 *
 * @throws SlipwayError SLIPWAY_FENCED when the stage has ended, or another one has begun
 */
export const nextEpoch =
  ({ db }: ControlDependencies) =>
  async ({ spoolRefId, copy }: { spoolRefId: string; copy: TemplateCopyRef }): Promise<TemplateCopyRef> => {
    const [row] = await db
      .update(templateSpoolRef)
      .set({
        epoch: sql`case when ${templateSpoolRef.epoch} = ${copy.epoch} then ${newEpoch} else ${templateSpoolRef.epoch} end`,
        previousEpoch: copy.epoch,
      })
      .where(
        and(
          eq(templateSpoolRef.id, spoolRefId),
          // The name of an installed file follows from its epoch.
          eq(templateSpoolRef.state, 'Downloading'),
          or(eq(templateSpoolRef.epoch, copy.epoch), eq(templateSpoolRef.previousEpoch, copy.epoch)),
        ),
      )
      .returning();
    if (!row) throw new SlipwayError('SLIPWAY_FENCED', `A newer try stages template ${copy.templateId}`);
    return { ...copy, epoch: row.epoch };
  };

export interface FinishStageInput {
  spoolRefId: string;
  copy: TemplateCopyRef;
  installed: InstalledTemplate;
}

/**
 * The file counts from here on: compare-and-set on the epoch makes every other file an orphan.
 *
 * @throws SlipwayError SLIPWAY_FENCED; SLIPWAY_HOST_REVOKED: only that host has compared what it has downloaded
 */
export const finishStage =
  (dependencies: ControlDependencies) =>
  async ({ spoolRefId, copy, installed }: FinishStageInput): Promise<void> => {
    const waiters = await dependencies.db.transaction(async (tx) => {
      const state = await supersedeOlder(tx, spoolRefId);
      const [row] = await tx
        .update(templateSpoolRef)
        .set({
          state,
          downloadState: 'DOWNLOADED',
          downloadPct: 100,
          bytesPerSecond: 0,
          isQueued: false,
          installPath: installed.installPath,
          sizeBytes: installed.virtualSizeBytes,
          physicalSizeBytes: installed.physicalSizeBytes,
          lastUpdated: sql`now()`,
        })
        .where(
          and(
            eq(templateSpoolRef.id, spoolRefId),
            eq(templateSpoolRef.epoch, copy.epoch),
            inArray(templateSpoolRef.state, ['Downloading', 'Ready', 'Superseded']),
          ),
        )
        .returning({ isHostRevoked: isRevoked(tx, templateSpoolRef.hostId) });
      if (!row) throw new SlipwayError('SLIPWAY_FENCED', `A newer try stages template ${copy.templateId}`);
      if (row.isHostRevoked) throw ignored('of the download');
      await settleCopy(tx, spoolRefId, installed.allocatedBytes);
      return tx
        .update(stageWaiter)
        .set({ state: 'Ready' })
        .where(eq(stageWaiter.spoolRefId, spoolRefId))
        .returning({ workflowId: stageWaiter.workflowId });
    });
    await wakeWaiters(dependencies, waiters);
  };

/**
 * Each waiter keeps the reason; the copy's row goes, so that the next deployment begins anew. A copy that is Ready, which a
 * stage that was reset finds, is nobody's failure.
 */
export const failStage =
  (dependencies: ControlDependencies) =>
  async ({ spoolRefId, failure }: { spoolRefId: string; failure: Failure }): Promise<void> => {
    const waiters = await dependencies.db.transaction(async (tx) => {
      const [copy] = await tx.select().from(templateSpoolRef).where(isUnfinished(spoolRefId)).for('update');
      if (!copy) return [];
      const told = await tx
        .update(stageWaiter)
        .set({ state: 'Failed', failure })
        .where(eq(stageWaiter.spoolRefId, spoolRefId))
        .returning({ workflowId: stageWaiter.workflowId });
      await forgetCopy(tx, spoolRefId);
      return told;
    });
    await wakeWaiters(dependencies, waiters);
  };

/**
 * What a cancelled stage asks: a deployment may have joined after the last one left and before the cancellation came.
 *
 * @returns whether somebody waits; else the copy's row is gone
 */
export const abandonStage =
  ({ db }: ControlDependencies) =>
  async ({ spoolRefId }: { spoolRefId: string }): Promise<boolean> =>
    db.transaction(async (tx) => {
      await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, spoolRefId)).for('update');
      const [waiter] = await tx.select().from(stageWaiter).where(eq(stageWaiter.spoolRefId, spoolRefId)).limit(1);
      if (waiter) return true;
      await forgetCopy(tx, spoolRefId);
      return false;
    });
