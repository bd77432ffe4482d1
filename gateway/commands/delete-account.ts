import { retireAccount } from '../../db/accounts.js';
import { accountWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { asyncParameters, begin, earlierJob, insertJob } from './async-jobs.js';
import { ADMINS, defineCommand } from './define-command.js';
import { ownAccount } from './own-account.js';

const JOB_CMD = 'deleteAccount';

export const deleteAccount = defineCommand({
  name: 'deleteAccount',
  description:
    'Deletes an account. Its users can do nothing from now on; the job destroys and expunges its virtual machines, and ' +
    'deletes its templates, also when others have virtual machines of them, which go on.',
  kind: 'async',
  allowedRoles: ADMINS,
  params: { ...asyncParameters, id: required(uuid('ID of the account.')) },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: the job ends when everything is gone.') },
  },
  async handle({ id, customjobid }, context) {
    const { db, caller } = context;
    // Before the account is looked up: the call that deleted it may be repeated when it is gone.
    const earlier = await earlierJob(db, context, { customjobid, jobCmd: JOB_CMD, instanceId: id });
    if (earlier) return { jobid: earlier.id };
    await ownAccount({ id }, context);
    const job = await db.transaction(async (tx) => {
      await retireAccount(tx, caller, id);
      return insertJob(tx, context, {
        jobCmd: JOB_CMD,
        customjobid,
        workflowType: 'deleteAccount',
        workflowId: accountWorkflowId(id),
        input: { accountId: id },
        instanceType: 'Account',
        instanceId: id,
      });
    });
    return begin(job, context);
  },
});
