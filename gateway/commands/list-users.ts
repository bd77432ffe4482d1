import { listUsers as readUsers } from '../../db/reads/list-users.js';
import { USER_STATES } from '../../db/schema/index.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { userFields, userResponse } from '../responses/user.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { roleOf, roleParameters } from './own-account.js';

export const listUsers = defineCommand({
  name: 'listUsers',
  description: 'Lists users.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...scopeParameters,
    id: uuid('ID of the user.'),
    username: string('Name to log in with.'),
    accounttype: roleParameters.accounttype,
    state: oneOf(USER_STATES, 'State.'),
    ...withoutEffect({ showicon: { type: 'boolean' } }),
    ...unsupported({
      apikeyaccess: { type: 'string', since: '4.20.1.0' },
      usersource: { type: 'string', since: '4.21.0.0', harmless: 'native' },
    }),
  },
  response: { objectName: 'user', fields: userFields },
  async handle(args, context) {
    const { db, caller, command } = context;
    const filter = {
      scope: await scopeOf(args, context, { hasId: args.id !== undefined }),
      id: args.id,
      username: args.username,
      accountType: roleOf({ accounttype: args.accounttype }, command)?.type,
      state: args.state,
      keyword: args.keyword,
    };
    const { count, rows } = await readUsers(db, caller, filter, pageOf(args));
    return { count, items: rows.map((row) => userResponse(row.user, row, caller)) };
  },
});
