import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { findZones } from '../../db/reads/find-deployment-parts.js';
import { findImage, type Image } from '../../db/reads/find-image.js';
import { SlipwayError } from '../../shared/errors.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { earlierJob, jobOfCall } from './async-jobs.js';
import type { CommandContext } from './define-command.js';

interface DeleteImageArguments {
  id: string;
  /** Every zone when absent. */
  zoneid: string | undefined;
  customjobid: string | undefined;
  isForced: boolean;
}

interface ImageKind {
  jobCmd: string;
  /** As the job names it. */
  instanceType: string;
  noun: string;
  /** @throws SlipwayError when it is not one that the command deletes */
  check: (image: Image) => void;
}

/** Makes the job that deletes a template or an ISO, and answers with it. */
export async function deleteImage(
  { id, zoneid, customjobid, isForced }: DeleteImageArguments,
  context: CommandContext,
  { jobCmd, instanceType, noun, check }: ImageKind,
): Promise<{ jobid: string }> {
  const { db, caller, command } = context;
  // Before the image is looked up: the call that deleted it may be repeated when it is gone.
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  const image = await findImage(db, caller, id);
  if (!image) throw noSuchEntity(command, 'id', id);
  if (!image.isOwn) {
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      `Unable to delete ${noun} ${image.name}: only its owner and root admins may`,
    );
  }
  check(image);
  if (zoneid && (await findZones(db, [zoneid])).length === 0) throw noSuchEntity(command, 'zoneid', zoneid);
  const jobId = customjobid ?? randomUUID();
  const created = await createJob(db, {
    id: jobId,
    accountId: caller.accountId,
    userId: caller.userId,
    jobCmd,
    workflowType: 'deleteTemplate',
    workflowId: templateWorkflowId(id),
    workflowInput: { templateId: id, jobId, zoneId: zoneid, isForced },
    instanceType,
    instanceId: id,
  });
  // Two calls with one `customjobid` may have come at once.
  const job = jobOfCall(created, { jobCmd, accountId: caller.accountId, instanceId: id });
  // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
  void context.startJob(job);
  return { jobid: job.id };
}
