import { createAccount as insertAccount } from '../../db/accounts.js';
import { isRootDomain } from '../../db/reads/find-account.js';
import { findListedAccount } from '../../db/reads/list-accounts.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { accountFields, accountResponses } from '../responses/account.js';
import { ADMINS, defineCommand } from './define-command.js';
import { requireDomain } from './list-scope.js';
import { newUserParameters, newUserOf } from './new-user.js';
import { requireRank, roleOf, roleParameters } from './own-account.js';
import { stillThere } from './still-there.js';

export const createAccount = defineCommand({
  name: 'createAccount',
  description: 'Makes an account, with a first user.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: {
    ...newUserParameters,
    ...roleParameters,
    account: string('Name of the account; that of the user when absent.'),
    domainid: uuid('ID of the domain; that of the caller when absent.'),
    ...unsupported({
      networkdomain: { type: 'string' },
      accountdetails: { type: 'map' },
      accountid: { type: 'string' },
      userid: { type: 'string' },
    }),
  },
  response: { objectName: 'account', fields: { account: field('object', 'The account.', accountFields) } },
  async handle(args, context) {
    const { db, caller, command } = context;
    const role = roleOf(args, command);
    if (!role) throw invalid('Neither accounttype nor roleid is given, and one of them must be');
    requireRank(caller, role.type);
    const domainId = args.domainid ?? caller.domainId;
    await requireDomain(domainId, context);
    if (role.type === 'Admin' && !(await isRootDomain(db, domainId))) {
      throw invalid('Accounts of root admins are in the ROOT domain only');
    }
    const user = newUserOf(args);
    const name = accountName(args.account ?? user.username);
    const id = await insertAccount(db, caller, { name, type: role.type, domainId, user });
    const [account] = await accountResponses(db, caller, [stillThere(await findListedAccount(db, id), id, context)]);
    return { account };
  },
});

function accountName(text: string): string {
  const name = text.trim();
  if (name === '') throw invalid('Parameter account may not be blank');
  return name;
}
