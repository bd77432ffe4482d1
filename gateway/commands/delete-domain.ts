import { retireDomain } from '../../db/retire-domain.js';
import { domainWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { asyncParameters, begin, earlierJob, insertJob } from './async-jobs.js';
import { ADMINS, defineCommand } from './define-command.js';
import { ownDomain } from './own-domain.js';

const JOB_CMD = 'deleteDomain';

export const deleteDomain = defineCommand({
  name: 'deleteDomain',
  description:
    'Deletes a domain that is empty, or with cleanup also the domains and accounts below with all that they own.',
  kind: 'async',
  allowedRoles: ADMINS,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the domain.')),
    cleanup: withDefault(boolean('Whether what is in it is deleted too; false when absent.'), false),
  },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: the job ends when everything is gone.') },
  },
  async handle({ id, cleanup, customjobid }, context) {
    const { db, caller } = context;
    const earlier = await earlierJob(db, context, { customjobid, jobCmd: JOB_CMD, instanceId: id });
    if (earlier) return { jobid: earlier.id };
    await ownDomain(id, context);
    const job = await db.transaction(async (tx) => {
      await retireDomain(tx, caller, id, { withContents: cleanup });
      return insertJob(tx, context, {
        jobCmd: JOB_CMD,
        customjobid,
        workflowType: 'deleteDomain',
        workflowId: domainWorkflowId(id),
        input: { domainId: id },
        instanceType: 'Domain',
        instanceId: id,
      });
    });
    return begin(job, context);
  },
});
