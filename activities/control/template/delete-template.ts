import { and, eq, notInArray } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { total } from '../../../db/reads/list-query.js';
import { account, templateStoreRef, vmInstance, vmTemplate } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Failure } from '../../../shared/failures.js';
import type { DeleteTemplateInput } from '../../../shared/templates.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { failedOutcome } from '../job-outcomes.js';
import { toldOf } from '../record-event.js';
import { lockRunningJob } from '../running-job.js';
import { isActiveTemplate, isReadyInZone, recordTemplateEvent, templateGone } from './template-operation.js';

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
      const job = await lockRunningJob(tx, jobId);
      if (!job) return;
      // A VM that is made now waits for this, and finds out when it looks for a host.
      const [template] = await tx.select().from(vmTemplate).where(isActiveTemplate(templateId)).for('update');
      if (!template) throw templateGone(templateId);
      if (!isForced) await requireUnused(tx, { template, zoneId, jobAccountId: job.accountId });
      const isReady = isReadyInZone(templateId);
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
      const description = `${nameOf(template)} was deleted${left ? ' from a zone' : ''}`;
      await recordTemplateEvent(tx, { templateId, operation: 'DELETE', level: 'INFO', description, jobId });
    });

type Template = typeof vmTemplate.$inferSelect;

const nameOf = ({ format, name }: Template): string => `${format === 'ISO' ? 'ISO' : 'Template'} ${name}`;

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
      await recordTemplateEvent(tx, { templateId, operation: 'DELETE', level: 'ERROR', ...toldOf(failure), jobId });
    });
