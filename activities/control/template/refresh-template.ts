import { sql } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { templateStoreRef, vmTemplate } from '../../../db/schema/index.js';
import type { Failure } from '../../../shared/failures.js';
import type { RefreshTemplateInput, RegisterTemplateInput } from '../../../shared/templates.js';
import type { ControlDependencies } from '../dependencies.js';
import { failedOutcome } from '../job-outcomes.js';
import { toldOf } from '../record-event.js';
import { lockRunningJob, runningJob } from '../running-job.js';
import { isActiveTemplate, isReadyInZone, recordTemplateEvent, templateGone } from './template-operation.js';

/**
 * Where the URL is to be read again, and as what.
 *
 * @returns null when the job has ended: somebody started this workflow once too often
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the template is deleted
 */
export const beginRefresh =
  ({ db }: ControlDependencies) =>
  async ({ templateId, jobId }: RefreshTemplateInput): Promise<RegisterTemplateInput | null> => {
    if (!(await runningJob(db, jobId))) return null;
    const [template] = await db.select().from(vmTemplate).where(isActiveTemplate(templateId));
    if (!template) throw templateGone(templateId);
    const zones = await db
      .select({ id: templateStoreRef.dataCenterId })
      .from(templateStoreRef)
      .where(isReadyInZone(templateId));
    return { templateId, zoneIds: zones.map(({ id }) => id), format: template.format };
  };

export interface RecordRefreshedInput extends RefreshTemplateInput {
  sizeBytes?: number;
}

/**
 * The template has another generation, and the job has ended: who stages it from here on begins anew, beside the copies
 * that are there.
 */
export const recordRefreshed =
  ({ db }: ControlDependencies) =>
  async ({ templateId, jobId, checksum, sizeBytes }: RecordRefreshedInput): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await lockRunningJob(tx, jobId))) return;
      const [template] = await tx
        .update(vmTemplate)
        .set({ generation: sql`${vmTemplate.generation} + 1`, sizeBytes: sizeBytes ?? null, checksum })
        .where(isActiveTemplate(templateId))
        .returning();
      if (!template) throw templateGone(templateId);
      await tx
        .update(templateStoreRef)
        .set({ sizeBytes: sizeBytes ?? null })
        .where(isReadyInZone(templateId));
      await completeJob(tx, jobId, { status: 'succeeded', resultCode: 0, result: { success: true } });
      const description = `${template.name} was refreshed: generation ${template.generation}`;
      await recordTemplateEvent(tx, { templateId, operation: 'REFRESH', level: 'INFO', description, jobId });
    });

/** The template is as it was, and the job says why. */
export const recordNotRefreshed =
  ({ db }: ControlDependencies) =>
  async ({
    templateId,
    jobId,
    failure,
    isCancelled,
  }: RefreshTemplateInput & { failure: Failure; isCancelled: boolean }): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await completeJob(tx, jobId, failedOutcome(failure, isCancelled)))) return;
      await recordTemplateEvent(tx, { templateId, operation: 'REFRESH', level: 'ERROR', ...toldOf(failure), jobId });
    });
