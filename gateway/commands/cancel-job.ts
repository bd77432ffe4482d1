import { findJob } from '../../db/reads/find-job.js';
import { JOB_STATUS } from '../../db/schema/index.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const cancelJob = defineCommand({
  name: 'cancelJob',
  description:
    'Calls a job off. What it has done is undone, and it ends as cancelled; what cannot be called off, as a destroy ' +
    'that has begun, is completed. Slipway has this command, CloudStack has not.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { jobid: required(uuid('ID of the job.')) },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: the job was asked to end. Its result says how it did.') },
  },
  async handle({ jobid }, context) {
    const { db, caller, command } = context;
    const job = await findJob(db, caller, jobid);
    if (!job) throw noSuchEntity(command, 'jobid', jobid);
    if (job.jobStatus !== JOB_STATUS.inProgress) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Job ${jobid} has ended and cannot be cancelled any more`);
    }
    await context.cancelJob(job);
    return { success: true };
  },
});
