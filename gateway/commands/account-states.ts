import { setAccountState } from '../../db/accounts.js';
import { findListedAccount } from '../../db/reads/list-accounts.js';
import { accountStateWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { boolean, required } from '../protocol/parameters.js';
import { accountFields, accountResponses } from '../responses/account.js';
import { asyncParameters, begin, earlierJob, insertJob } from './async-jobs.js';
import { ADMINS, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { accountParameters, ownAccount } from './own-account.js';
import { stillThere } from './still-there.js';

const response = { objectName: 'account', fields: { account: field('object', 'The account.', accountFields) } };

const setState = (name: 'enableAccount' | 'lockAccount', description: string, state: 'enabled' | 'locked') =>
  defineCommand({
    name,
    description,
    kind: 'sync',
    allowedRoles: ADMINS,
    params: accountParameters,
    response,
    async handle(args, context) {
      const { db, caller } = context;
      const { account } = await ownAccount(args, context);
      await db.transaction((tx) => setAccountState(tx, caller, account.id, state));
      const [changed] = await accountResponses(db, caller, [
        stillThere(await findListedAccount(db, account.id), account.id, context),
      ]);
      return { account: changed };
    },
  });

export const enableAccount = setState(
  'enableAccount',
  'Lets the users of an account log in and call again.',
  'enabled',
);

export const lockAccount = setState(
  'lockAccount',
  'Keeps the users of an account from logging in and from calling. What the account owns goes on.',
  'locked',
);

const JOB_CMD = 'disableAccount';

export const disableAccount = defineCommand({
  name: JOB_CMD,
  description:
    'Keeps the users of an account from logging in and from calling. Unless it is only locked, the job stops its virtual ' +
    'machines too: one that is being deployed when it runs, and one that does not stop by force. Nobody starts one of a ' +
    'disabled account.',
  kind: 'async',
  allowedRoles: ADMINS,
  params: {
    ...asyncParameters,
    ...accountParameters,
    lock: required(boolean('Whether the account is locked rather than disabled: then its virtual machines go on.')),
  },
  response: { objectName: 'account', fields: accountFields },
  async handle({ lock, customjobid, ...named }, context) {
    const { db, caller } = context;
    const { account } = await ownAccount(named, context);
    const call = { jobCmd: JOB_CMD, customjobid, instanceType: 'Account', instanceId: account.id };
    if (lock) {
      return doneAtOnce(call, context, async (tx) => {
        await setAccountState(tx, caller, account.id, 'locked');
        return true;
      });
    }
    const earlier = await earlierJob(db, context, call);
    if (earlier) return { jobid: earlier.id };
    const job = await db.transaction(async (tx) => {
      await setAccountState(tx, caller, account.id, 'disabled');
      return insertJob(tx, context, {
        ...call,
        workflowType: JOB_CMD,
        workflowId: accountStateWorkflowId(account.id),
        input: { accountId: account.id },
      });
    });
    return begin(job, context);
  },
});
