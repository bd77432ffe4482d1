import { deleteUser as removeUser } from '../../db/users.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { ADMINS, defineCommand } from './define-command.js';
import { ownUser } from './own-account.js';

export const deleteUser = defineCommand({
  name: 'deleteUser',
  description: 'Deletes a user. What the account owns stays, without users too.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: { id: required(uuid('ID of the user.')) },
  response: { objectName: 'success', fields: { success: field('boolean', 'Always true.') } },
  async handle({ id }, context) {
    await ownUser(id, context);
    await removeUser(context.db, context.caller, id);
    return { success: true };
  },
});
