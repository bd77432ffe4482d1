import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { findImage } from '../../db/reads/find-image.js';
import { SlipwayError } from '../../shared/errors.js';
import { isDiskFormat } from '../../shared/images.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { asyncParameters, earlierJob, jobOfCall } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
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
    const { db, caller, command } = context;
    const earlier = await earlierJob(db, context, { customjobid, jobCmd: JOB_CMD, instanceId: id });
    if (earlier) return { jobid: earlier.id };
    const image = await findImage(db, caller, id);
    if (!image) throw noSuchEntity(command, 'id', id);
    if (!image.isOwn) {
      throw new SlipwayError(
        'SLIPWAY_PERMISSION_DENIED',
        `Unable to refresh ${image.name}: only its owner and root admins may`,
      );
    }
    if (image.type !== 'USER' && caller.role !== 'Admin') {
      throw new SlipwayError(
        'SLIPWAY_PERMISSION_DENIED',
        `Only a root admin can refresh ${image.name}: it is a ${image.type} template`,
      );
    }
    const jobId = customjobid ?? randomUUID();
    const created = await createJob(db, {
      id: jobId,
      accountId: caller.accountId,
      userId: caller.userId,
      jobCmd: JOB_CMD,
      workflowType: JOB_CMD,
      workflowId: templateWorkflowId(id),
      workflowInput: {
        templateId: id,
        jobId,
        checksum: checksum?.toLowerCase() === 'none' ? null : canonicalChecksum(checksum),
      },
      instanceType: isDiskFormat(image.format) ? 'Template' : 'Iso',
      instanceId: id,
    });
    // Two calls with one `customjobid` may have come at once.
    const job = jobOfCall(created, { jobCmd: JOB_CMD, accountId: caller.accountId, instanceId: id });
    // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
    void context.startJob(job);
    return { jobid: job.id };
  },
});
