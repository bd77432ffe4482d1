import { setAccountState } from '../../db/accounts.js';
import { findListedAccount } from '../../db/reads/list-accounts.js';
import { field } from '../protocol/fields.js';
import { boolean, required } from '../protocol/parameters.js';
import { accountFields, accountResponses } from '../responses/account.js';
import { asyncParameters } from './async-jobs.js';
import { ADMINS, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { accountParameters, ownAccount } from './own-account.js';

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
      const [changed] = await accountResponses(db, caller, [(await findListedAccount(db, account.id))!]);
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

export const disableAccount = defineCommand({
  name: 'disableAccount',
  description:
    'Keeps the users of an account from logging in and from calling. Virtual machines of the account go on: CloudStack ' +
    'stops them.',
  kind: 'async',
  allowedRoles: ADMINS,
  params: {
    ...asyncParameters,
    ...accountParameters,
    lock: required(boolean('Whether the account is locked rather than disabled.')),
  },
  response: { objectName: 'account', fields: accountFields },
  async handle({ lock, customjobid, ...named }, context) {
    const { account } = await ownAccount(named, context);
    const call = { jobCmd: 'disableAccount', customjobid, instanceType: 'Account', instanceId: account.id };
    return doneAtOnce(call, context, async (tx) => {
      await setAccountState(tx, context.caller, account.id, lock ? 'locked' : 'disabled');
      return true;
    });
  },
});
