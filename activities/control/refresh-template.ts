import { and, eq, isNull, sql } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { asyncJob, JOB_STATUS, templateStoreRef, vmTemplate } from '../../db/schema/index.js';
import { SlipwayError } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import type { RefreshTemplateInput, RegisterTemplateInput } from '../../shared/templates.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { recordEvent } from './record-event.js';
import { failedOutcome } from './vm-operation.js';

/**
 * Where the URL is to be read again, and as what.
 *
 * @returns null when the job has ended: somebody started this workflow once too often
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the template is deleted
 */
export const beginRefresh =
  ({ db }: ControlDependencies) =>
  async ({ templateId, jobId }: RefreshTemplateInput): Promise<RegisterTemplateInput | null> => {
    const [job] = await db.select().from(asyncJob).where(eq(asyncJob.id, jobId));
    if (job?.jobStatus !== JOB_STATUS.inProgress) return null;
    const [template] = await db.select().from(vmTemplate).where(isActive(templateId));
    if (!template) throw gone(templateId);
    const zones = await db
      .select({ id: templateStoreRef.dataCenterId })
      .from(templateStoreRef)
      .where(isReady(templateId));
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
      if (!(await isJobRunning(tx, jobId))) return;
      const [template] = await tx
        .update(vmTemplate)
        .set({ generation: sql`${vmTemplate.generation} + 1`, sizeBytes: sizeBytes ?? null, checksum })
        .where(isActive(templateId))
        .returning();
      if (!template) throw gone(templateId);
      await tx
        .update(templateStoreRef)
        .set({ sizeBytes: sizeBytes ?? null })
        .where(isReady(templateId));
      await completeJob(tx, jobId, { status: 'succeeded', resultCode: 0, result: { success: true } });
      await recordEvent(tx, {
        ...kindOf(template.format),
        level: 'INFO',
        description: `${template.name} was refreshed: generation ${template.generation}`,
        accountId: template.accountId,
        resourceId: templateId,
        jobId,
      });
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
      const [template] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
      await recordEvent(tx, {
        ...kindOf(template?.format),
        level: 'ERROR',
        description: failure.message,
        accountId: template?.accountId,
        resourceId: templateId,
        jobId,
      });
    });

/** Locks the job: of two tries of the same activity the second finds what the first has done. */
async function isJobRunning(tx: Transaction, jobId: string): Promise<boolean> {
  const [job] = await tx.select().from(asyncJob).where(eq(asyncJob.id, jobId)).for('update');
  return job?.jobStatus === JOB_STATUS.inProgress;
}

const isActive = (templateId: string) =>
  and(eq(vmTemplate.id, templateId), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed));

const isReady = (templateId: string) =>
  and(eq(templateStoreRef.templateId, templateId), eq(templateStoreRef.state, 'Ready'));

const gone = (templateId: string) =>
  new SlipwayError('SLIPWAY_RESOURCE_STATE', `Unable to find Template with id ${templateId}`);

const kindOf = (format: string | undefined) =>
  format === 'ISO'
    ? ({ type: 'ISO.REFRESH', resourceType: 'Iso' } as const)
    : ({ type: 'TEMPLATE.REFRESH', resourceType: 'Template' } as const);
