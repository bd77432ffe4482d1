import { and, eq, isNull, notInArray } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { total } from '../../db/reads/list-query.js';
import { account, asyncJob, JOB_STATUS, templateStoreRef, vmInstance, vmTemplate } from '../../db/schema/index.js';
import { SlipwayError } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import type { DeleteTemplateInput } from '../../shared/templates.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { recordEvent } from './record-event.js';
import { failedOutcome } from './vm-operation.js';

/** VMs in the text of a refusal. */
const NAMED_VMS = 20;

/**
 * Takes a template from its zones, or from one, and ends the job: it is listed and deployed no more. When no zone has it
 * any more it is removed. Its copies on pools go when nothing stands on them.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE while VMs use it, unless forced
 */
export const removeTemplate =
  ({ db }: ControlDependencies) =>
  async ({ templateId, jobId, zoneId, isForced }: DeleteTemplateInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [job] = await tx.select().from(asyncJob).where(eq(asyncJob.id, jobId)).for('update');
      // Somebody started this workflow once too often.
      if (job?.jobStatus !== JOB_STATUS.inProgress) return;
      // A VM that is made now waits for this, and finds out when it looks for a host.
      const [template] = await tx
        .select()
        .from(vmTemplate)
        .where(and(eq(vmTemplate.id, templateId), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed)))
        .for('update');
      if (!template) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Unable to find Template with id ${templateId}`);
      }
      if (!isForced) await requireUnused(tx, { template, zoneId, jobAccountId: job.accountId });
      const isReady = and(eq(templateStoreRef.templateId, templateId), eq(templateStoreRef.state, 'Ready'));
      const taken = await tx
        .update(templateStoreRef)
        .set({ state: 'Destroyed' })
        .where(and(isReady, zoneId === undefined ? undefined : eq(templateStoreRef.dataCenterId, zoneId)))
        .returning({ id: templateStoreRef.id });
      if (taken.length === 0) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `${nameOf(template)} is not in that zone`);
      }
      const [left] = await tx.select({ id: templateStoreRef.id }).from(templateStoreRef).where(isReady).limit(1);
      if (!left) {
        await tx
          .update(vmTemplate)
          .set({ state: 'Inactive', removed: new Date().toISOString() })
          .where(eq(vmTemplate.id, templateId));
      }
      await completeJob(tx, jobId, { status: 'succeeded', resultCode: 0, result: { success: true } });
      await recordEvent(tx, {
        ...kindOf(template),
        level: 'INFO',
        description: `${nameOf(template)} was deleted${left ? ' from a zone' : ''}`,
        accountId: template.accountId,
        resourceId: templateId,
        jobId,
      });
    });

type Template = typeof vmTemplate.$inferSelect;

const nameOf = ({ format, name }: Template): string => `${format === 'ISO' ? 'ISO' : 'Template'} ${name}`;

/** CloudStack's names for an event about it. */
const kindOf = (template: Template | undefined) =>
  template?.format === 'ISO'
    ? ({ type: 'ISO.DELETE', resourceType: 'Iso' } as const)
    : ({ type: 'TEMPLATE.DELETE', resourceType: 'Template' } as const);

/**
 * In CloudStack's words. A VM that can be recovered uses its template too. It uses an ISO while that is in its drive, and
 * not because it was installed from it.
 */
async function requireUnused(
  tx: Transaction,
  { template, zoneId, jobAccountId }: { template: Template; zoneId: string | undefined; jobAccountId: string },
): Promise<void> {
  const isIso = template.format === 'ISO';
  const vms = await tx
    .select({ id: vmInstance.id, name: vmInstance.name, total })
    .from(vmInstance)
    .where(
      and(
        eq(isIso ? vmInstance.isoId : vmInstance.templateId, template.id),
        notInArray(vmInstance.state, ['Expunging', 'Expunged']),
        zoneId === undefined ? undefined : eq(vmInstance.dataCenterId, zoneId),
      ),
    )
    .orderBy(vmInstance.created)
    .limit(NAMED_VMS);
  if (!vms[0]) return;
  const [caller] = await tx.select({ type: account.type }).from(account).where(eq(account.id, jobAccountId));
  const names = vms.map(({ id, name }) => `${name} (${id})`);
  // Others must not learn of whose VMs there are.
  const list = caller?.type === 'Admin' ? ` Instances list: [${names.join(', ')}].` : '';
  const refusal = isIso
    ? "Unable to delete iso, as it's used by other vms."
    : `Unable to delete template [${template.name}] because there are [${vms[0].total}] VM instances using it.`;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `${refusal}${list}`);
}

/** The template is as it was, and the job says why. */
export const recordTemplateNotRemoved =
  ({ db }: ControlDependencies) =>
  async ({ templateId, jobId, failure }: DeleteTemplateInput & { failure: Failure }): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await completeJob(tx, jobId, failedOutcome(failure, false)))) return;
      const [template] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
      await recordEvent(tx, {
        ...kindOf(template),
        level: 'ERROR',
        description: failure.message,
        accountId: template?.accountId,
        resourceId: templateId,
        jobId,
      });
    });
