import { eq } from 'drizzle-orm';
import { asyncJob, templateSpoolRef } from '../../db/schema/index.js';
import { partWorkflowId, stageWorkflowId, vmWorkflowId } from '../../shared/workflow-ids.js';
import type { RunId } from './await-step.js';
import type { ProvingGround } from './proving-ground.js';
import { waitFor } from './wait-for.js';

const POLL_MS = 10;

/** The run of an operation on a VM, once it has been started. */
export const findVmRun = ({ db }: ProvingGround, vmId: string, jobid: string): Promise<RunId> =>
  seen(`the run of job ${jobid}`, async () => {
    const [job] = await db.select().from(asyncJob).where(eq(asyncJob.id, jobid));
    return job?.runId ? { workflowId: vmWorkflowId(vmId), runId: job.runId } : undefined;
  });

/** The run that brings a template to a pool, once it has been started. */
export const findStageRun = ({ db, temporal }: ProvingGround, templateId: string): Promise<RunId> =>
  seen(`a stage of template ${templateId}`, async () => {
    const [copy] = await db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
    if (!copy) return undefined;
    const workflowId = stageWorkflowId(copy.poolId, templateId, copy.generation);
    const { runId } = await temporal.workflow.getHandle(workflowId).describe();
    return { workflowId, runId };
  });

/** Of a workflow that has hosts told by children. */
export const findFirstChild = ({ temporal }: ProvingGround, parent: RunId): Promise<RunId> =>
  seen(`a child of ${parent.workflowId}`, async () => {
    const workflowId = partWorkflowId(parent, 0);
    const { runId } = await temporal.workflow.getHandle(workflowId).describe();
    return { workflowId, runId };
  });

/** Looks until there is something, which takes milliseconds, and gives it. */
export async function seen<What>(what: string, look: () => Promise<What | undefined>): Promise<What> {
  let found: What | undefined;
  const isThere = async (): Promise<boolean> => (found = await look().catch(() => undefined)) !== undefined;
  await waitFor(`there is ${what}`, isThere, 60_000, POLL_MS);
  return found!;
}
