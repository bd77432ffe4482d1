import { listAccounts as readAccounts } from '../../db/reads/list-accounts.js';
import { ACCOUNT_STATES } from '../../db/schema/index.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, names, oneOf, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { accountFields, accountResponses } from '../responses/account.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { isUsageWanted } from './is-usage-wanted.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { roleOf, roleParameters } from './own-account.js';

const { domainid, isrecursive, listall } = scopeParameters;

export const listAccounts = defineCommand({
  name: 'listAccounts',
  description: 'Lists accounts, with what they use and may use.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    domainid,
    isrecursive,
    listall,
    id: uuid('ID of the account.'),
    name: string('Name of the account.'),
    accounttype: roleParameters.accounttype,
    state: oneOf(ACCOUNT_STATES, 'State.'),
    iscleanuprequired: boolean('Whether deleted accounts are listed of which something is left.'),
    details: names('all, resource or min, comma separated; min is without what the account uses.'),
    ...withoutEffect({ showicon: { type: 'boolean' } }),
    ...unsupported({ apikeyaccess: { type: 'string', since: '4.20.1.0' }, tag: { type: 'string', since: '4.20.0' } }),
  },
  response: { objectName: 'account', fields: accountFields },
  async handle(args, context) {
    const { db, caller, command } = context;
    const filter = {
      scope: await scopeOf({ ...args, account: undefined }, context, { hasId: args.id !== undefined }),
      id: args.id,
      name: args.name,
      type: roleOf({ accounttype: args.accounttype }, command)?.type,
      state: args.state,
      isCleanupNeeded: args.iscleanuprequired,
      keyword: args.keyword,
    };
    const { count, rows } = await readAccounts(db, caller, filter, pageOf(args));
    const isUsageShown = isUsageWanted(args.details);
    return { count, items: await accountResponses(db, caller, rows, { isUsageShown }) };
  },
});
