import { findZones } from '../../db/reads/find-deployment-parts.js';
import type { Image } from '../../db/reads/find-image.js';
import { imageType } from '../../shared/images.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { begin, earlierJob, insertJob } from './async-jobs.js';
import type { CommandContext } from './define-command.js';
import { type ImageKind, ownImage } from './own-image.js';

interface DeleteImageCall {
  jobCmd: string;
  kind: ImageKind;
  id: string;
  /** Every zone when absent. */
  zoneid: string | undefined;
  customjobid: string | undefined;
  isForced: boolean;
  /** @throws SlipwayError when it is not to be deleted */
  check?: (image: Image) => void;
}

/** Makes the job that deletes a template or an ISO, and answers with it. */
export async function deleteImage(
  { jobCmd, kind, id, zoneid, customjobid, isForced, check }: DeleteImageCall,
  context: CommandContext,
): Promise<{ jobid: string }> {
  const { db, command } = context;
  // Before the image is looked up: the call that deleted it may be repeated when it is gone.
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  const image = await ownImage({ id, kind, doing: `delete ${kind}` }, context);
  check?.(image);
  if (zoneid && (await findZones(db, [zoneid])).length === 0) throw noSuchEntity(command, 'zoneid', zoneid);
  const job = await insertJob(db, context, {
    jobCmd,
    customjobid,
    workflowType: 'deleteTemplate',
    workflowId: templateWorkflowId(id),
    input: { templateId: id, zoneId: zoneid, isForced },
    instanceType: imageType(image.format),
    instanceId: id,
  });
  return begin(job, context);
}
