import { SlipwayError } from '../../shared/errors.js';
import { imageType } from '../../shared/images.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { asyncParameters, begin, earlierJob, insertJob } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { ownImage } from './own-image.js';
import { canonicalChecksum } from './register-image.js';

const JOB_CMD = 'refreshTemplate';

export const refreshTemplate = defineCommand({
  name: JOB_CMD,
  description:
    'Takes a template or an ISO anew from its URL, where the image has changed: a KVM host checks the URL, and what is ' +
    'deployed from then on is downloaded again. Disks stay on the copy that they stand on. CloudStack has no such command.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the template or ISO.')),
    checksum: string(
      '{ALGORITHM}HASH of the new file; a plain hash is MD5. When absent the registered one stays; with the word none there is none any more.',
    ),
  },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: a job that could not refresh it has failed.') },
  },
  async handle({ id, customjobid, checksum }, context) {
    const { db, caller } = context;
    const earlier = await earlierJob(db, context, { customjobid, jobCmd: JOB_CMD, instanceId: id });
    if (earlier) return { jobid: earlier.id };
    const image = await ownImage({ id, doing: 'refresh' }, context);
    if (image.type !== 'USER' && caller.role !== 'Admin') {
      throw new SlipwayError(
        'SLIPWAY_PERMISSION_DENIED',
        `Only a root admin can refresh ${image.name}: it is a ${image.type} template`,
      );
    }
    const job = await insertJob(db, context, {
      jobCmd: JOB_CMD,
      customjobid,
      workflowType: JOB_CMD,
      workflowId: templateWorkflowId(id),
      input: { templateId: id, checksum: checksum?.toLowerCase() === 'none' ? null : canonicalChecksum(checksum) },
      instanceType: imageType(image.format),
      instanceId: id,
    });
    return begin(job, context);
  },
});
