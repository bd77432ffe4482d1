import { changeAccount } from '../../db/accounts.js';
import { isRootDomain } from '../../db/reads/find-account.js';
import { findListedAccount } from '../../db/reads/list-accounts.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { accountFields, accountResponses } from '../responses/account.js';
import { ADMINS, defineCommand } from './define-command.js';
import { accountParameters, ownAccount, requireRank, roleOf, roleParameters } from './own-account.js';
import { stillThere } from './still-there.js';

export const updateAccount = defineCommand({
  name: 'updateAccount',
  description: 'Changes the name or the role of an account.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: {
    ...accountParameters,
    newname: string('New name.'),
    roleid: roleParameters.roleid,
    ...unsupported({
      networkdomain: { type: 'string' },
      accountdetails: { type: 'map' },
      apikeyaccess: { type: 'string', since: '4.20.1.0' },
    }),
  },
  response: { objectName: 'account', fields: { account: field('object', 'The account.', accountFields) } },
  async handle(args, context) {
    const { db, caller, command } = context;
    const { account } = await ownAccount(args, context);
    const role = roleOf(args, command);
    if (role) requireRank(caller, role.type);
    if (role?.type === 'Admin' && !(await isRootDomain(db, account.domainId))) {
      throw invalid('Accounts of root admins are in the ROOT domain only');
    }
    const name = args.newname?.trim();
    if (name === '') throw invalid('Parameter newname may not be blank');
    await changeAccount(db, caller, account.id, { name, type: role?.type });
    const [changed] = await accountResponses(db, caller, [
      stillThere(await findListedAccount(db, account.id), account.id, context),
    ]);
    return { account: changed };
  },
});
