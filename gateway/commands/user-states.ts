import { findUser } from '../../db/reads/list-users.js';
import { setUserState } from '../../db/users.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { userFields, userResponse } from '../responses/user.js';
import { asyncParameters } from './async-jobs.js';
import { ADMINS, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { ownUser } from './own-account.js';
import { stillThere } from './still-there.js';

const params = { id: required(uuid('ID of the user.')) };

const setState = (name: 'enableUser' | 'lockUser', description: string, state: 'enabled' | 'locked') =>
  defineCommand({
    name,
    description,
    kind: 'sync',
    allowedRoles: ADMINS,
    params,
    response: { objectName: 'user', fields: { user: field('object', 'The user.', userFields) } },
    async handle({ id }, context) {
      const { db, caller } = context;
      await ownUser(id, context);
      await db.transaction((tx) => setUserState(tx, caller, id, state));
      const row = stillThere(await findUser(db, caller, { id }), id, context);
      return { user: userResponse(row.user, row, caller) };
    },
  });

export const enableUser = setState('enableUser', 'Lets a user log in and call again.', 'enabled');
export const lockUser = setState('lockUser', 'Keeps a user from logging in and from calling; sessions end.', 'locked');

export const disableUser = defineCommand({
  name: 'disableUser',
  description: 'Keeps a user from logging in and from calling; sessions end.',
  kind: 'async',
  allowedRoles: ADMINS,
  params: { ...asyncParameters, ...params },
  response: { objectName: 'user', fields: userFields },
  async handle({ id, customjobid }, context) {
    await ownUser(id, context);
    const call = { jobCmd: 'disableUser', customjobid, instanceType: 'User', instanceId: id };
    return doneAtOnce(call, context, async (tx) => {
      await setUserState(tx, context.caller, id, 'disabled');
      return true;
    });
  },
});
