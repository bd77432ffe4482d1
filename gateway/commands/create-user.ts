import { findUser } from '../../db/reads/list-users.js';
import { createUser as insertUser } from '../../db/users.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { userFields, userResponse } from '../responses/user.js';
import { ADMINS, defineCommand } from './define-command.js';
import { newUserOf, newUserParameters } from './new-user.js';
import { ownAccount } from './own-account.js';
import { stillThere } from './still-there.js';

export const createUser = defineCommand({
  name: 'createUser',
  description: 'Makes a user of an account that is there.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: {
    ...newUserParameters,
    account: required(string('Name of the account.')),
    domainid: uuid('ID of the domain of the account; that of the caller when absent.'),
    ...unsupported({ userid: { type: 'string' } }),
  },
  response: { objectName: 'user', fields: { user: field('object', 'The user.', userFields) } },
  async handle(args, context) {
    const { db, caller } = context;
    const { account } = await ownAccount({ ...args, domainid: args.domainid ?? caller.domainId }, context);
    const id = await insertUser(db, caller, account.id, newUserOf(args));
    const row = stillThere(await findUser(db, caller, { id }), id, context);
    return { user: userResponse(row.user, row, caller) };
  },
});
