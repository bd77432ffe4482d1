import { and, asc, eq, gt, isNull, like, sql } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import {
  host,
  stageWaiter,
  storagePool,
  storagePoolHostRef,
  templateStoreRef,
  vmTemplate,
} from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import { causesOf, type Failure } from '../../../shared/failures.js';
import type { PrestageProgress, PrestageRequest, PrestageTemplateInput } from '../../../shared/templates.js';
import { prestageWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies } from '../dependencies.js';
import { failedOutcome, SUCCEEDED } from '../job-outcomes.js';
import { recordEvent, toldOf } from '../record-event.js';
import { runningJob } from '../running-job.js';

/** Pools of one answer: each is a line in the history of who asks. */
const PAGE = 100;

export interface ListPrestagePoolsInput extends PrestageTemplateInput {
  afterPoolId: string | null;
}

/**
 * The next pools that a template is to be brought to, each with a host that reaches it: an Up one, if there is one.
 *
 * @returns null when the job has ended: somebody started this workflow once too often
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the zone has the template no more, SLIPWAY_NO_HOST when there is no pool
 *   that could take it
 */
export const listPrestagePools =
  ({ db }: ControlDependencies) =>
  async ({
    templateId,
    jobId,
    zoneId,
    poolId,
    afterPoolId,
  }: ListPrestagePoolsInput): Promise<PrestageRequest[] | null> => {
    const job = await runningJob(db, jobId);
    if (!job) return null;
    const [template] = await db
      .select({ name: vmTemplate.name, generation: vmTemplate.generation, arch: vmTemplate.arch })
      .from(vmTemplate)
      .innerJoin(
        templateStoreRef,
        and(
          eq(templateStoreRef.templateId, vmTemplate.id),
          eq(templateStoreRef.dataCenterId, zoneId),
          eq(templateStoreRef.state, 'Ready'),
        ),
      )
      .where(and(eq(vmTemplate.id, templateId), eq(vmTemplate.state, 'Active')));
    if (!template) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${templateId} is in the zone no more`);
    }
    const pools = await db
      .selectDistinctOn([storagePool.id], {
        poolId: storagePool.id,
        poolName: storagePool.name,
        hostId: host.id,
        hostName: host.name,
      })
      .from(storagePool)
      .innerJoin(storagePoolHostRef, eq(storagePoolHostRef.poolId, storagePool.id))
      .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
      .where(
        and(
          eq(storagePool.dataCenterId, zoneId),
          eq(storagePool.status, 'Up'),
          isNull(storagePool.removed),
          isNull(host.removed),
          eq(host.hypervisorType, 'KVM'),
          eq(host.arch, template.arch),
          poolId ? eq(storagePool.id, poolId) : undefined,
          afterPoolId ? gt(storagePool.id, afterPoolId) : undefined,
        ),
      )
      .orderBy(
        asc(storagePool.id),
        sql`(${host.status} = 'Up' and ${host.resourceState} = 'Enabled' and ${storagePoolHostRef.problem} is null) desc`,
        asc(host.name),
      )
      .limit(PAGE);
    // A job that has brought it nowhere has not succeeded.
    if (pools.length === 0 && afterPoolId === null) throw noPool(poolId, template);
    return pools.map((pool) => ({
      ...pool,
      accountId: job.accountId,
      templateId,
      templateName: template.name,
      generation: template.generation,
      use: { type: 'prestage' },
    }));
  };

const noPool = (poolId: string | undefined, { name, arch }: { name: string; arch: string }) =>
  new SlipwayError(
    'SLIPWAY_NO_HOST',
    poolId
      ? `The pool is not enabled, or no ${arch} host reaches it: it cannot take template ${name}`
      : `No enabled pool of the zone is reached by a ${arch} host, as template ${name} needs one`,
  );

export interface RecordPrestagedInput extends PrestageTemplateInput {
  progress: PrestageProgress;
  /** Why it ended before all pools were asked. */
  failure?: Failure;
  isCancelled: boolean;
}

/** The job has ended, with the pools that did not get it and why. */
export const recordPrestaged =
  ({ db }: ControlDependencies) =>
  async ({ templateId, jobId, zoneId, poolId, progress, failure, isCancelled }: RecordPrestagedInput): Promise<void> =>
    db.transaction(async (tx) => {
      // Of pools that an earlier run was ended at by force, and that were not asked again.
      await tx
        .delete(stageWaiter)
        .where(like(stageWaiter.workflowId, `${prestageWorkflowId(templateId, poolId ?? zoneId)}-%`));
      const reason = failure ?? failureOf(progress);
      if (!(await completeJob(tx, jobId, reason ? failedOutcome(reason, isCancelled) : SUCCEEDED))) return;
      const [template] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
      await recordEvent(tx, {
        type: 'TEMPLATE.PREPARE',
        level: reason ? 'ERROR' : 'INFO',
        ...(reason ? toldOf(reason) : { description: `${template?.name} is on ${progress.readyCount} pools` }),
        accountId: template?.accountId,
        resourceType: 'Template',
        resourceId: templateId,
        jobId,
      });
    });

function failureOf({ readyCount, failedCount, failures }: PrestageProgress): Failure | undefined {
  const [first] = failures;
  if (!first) return undefined;
  const lines = failures.map(({ poolName, message }) => `${poolName}: ${message}`);
  const more = failedCount > failures.length ? [`and ${failedCount - failures.length} more`] : [];
  const head = `${failedCount} of ${readyCount + failedCount} pools did not get the template`;
  return { code: first.code, message: [head, ...lines, ...more].join('\n'), causes: causesOf(failures) };
}
