import { verifyPassword } from '../../db/password.js';
import { findUser, type ListedUser } from '../../db/reads/list-users.js';
import { changeUser } from '../../db/users.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { userFields, userResponse } from '../responses/user.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { passwordOf, userName } from './new-user.js';
import { ownUser } from './own-account.js';
import { stillThere } from './still-there.js';

export const updateUser = defineCommand({
  name: 'updateUser',
  description:
    'Changes a user. A new password ends all sessions of the user. Users change themselves only, not their name, and have ' +
    'to give their password for a new one.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    id: required(uuid('ID of the user.')),
    username: string('Name to log in with; for administrators.'),
    password: string('New password. Send it in a form, not in the query.'),
    currentpassword: string('Password until now; required of a user who gives a new one.'),
    firstname: string('First name.'),
    lastname: string('Last name.'),
    email: string('E-mail address.'),
    timezone: string('Time zone; kept and shown.'),
    // Keys that somebody chose may be known to others, or be guessed: registerUserKeys makes them.
    ...unsupported({
      userapikey: { type: 'string' },
      usersecretkey: { type: 'string' },
      apikeyaccess: { type: 'string', since: '4.20.1.0', harmless: 'inherit' },
      mandate2fa: { type: 'boolean', since: '4.18.0.0' },
    }),
  },
  response: { objectName: 'user', fields: { user: field('object', 'The user.', userFields) } },
  async handle({ id, currentpassword, ...args }, context) {
    const { db, caller } = context;
    const found = await ownUser(id, context);
    if (caller.role === 'User') {
      if (id !== caller.userId) throw new SlipwayError('SLIPWAY_PERMISSION_DENIED', 'Users may change themselves only');
      if (args.username !== undefined) {
        throw new SlipwayError('SLIPWAY_PERMISSION_DENIED', 'Only administrators may change the name of a user');
      }
    }
    if (args.password !== undefined) await requireCurrent(found, currentpassword, context);
    await changeUser(db, caller, id, {
      ...args,
      username: args.username === undefined ? undefined : userName(args.username),
      password: args.password === undefined ? undefined : passwordOf(args.password),
    });
    const row = stillThere(await findUser(db, caller, { id }), id, context);
    return { user: userResponse(row.user, row, caller) };
  },
});

/** As in CloudStack, administrators need not know it. */
async function requireCurrent({ user }: ListedUser, given: string | undefined, { caller }: CommandContext) {
  if (caller.role !== 'User') return;
  if (given === undefined) throw invalid('To set a new password the current password must be provided.');
  if (!(await verifyPassword(given, user.password)).isRight) throw invalid('Current password is incorrect.');
}
