import { findUser } from '../../db/reads/list-users.js';
import { replaceKeys } from '../../db/users.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { userFields, userResponse } from '../responses/user.js';
import { ADMIN_ONLY, defineCommand, EVERYBODY } from './define-command.js';
import { ownUser } from './own-account.js';

const userkeys = field('object', 'The keys.', {
  apikey: field('string', 'API key.'),
  secretkey: field('string', 'Secret key.'),
});

export const registerUserKeys = defineCommand({
  name: 'registerUserKeys',
  description: 'Gives a user new keys. The old ones are good for nothing from that moment on.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { id: required(uuid('ID of the user.')) },
  response: { objectName: 'userkeys', fields: { userkeys } },
  async handle({ id }, context) {
    await ownUser(id, context);
    const { apiKey, secretKey } = await replaceKeys(context.db, context.secretBox, context.caller, id);
    return { userkeys: { apikey: apiKey, secretkey: secretKey } };
  },
});

export const getUserKeys = defineCommand({
  name: 'getUserKeys',
  description: 'Answers with the keys of a user.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { id: required(uuid('ID of the user.')) },
  response: { objectName: 'userkeys', fields: { userkeys } },
  async handle({ id }, context) {
    const { user } = await ownUser(id, context);
    const secretkey = user.secretKeyEncrypted === null ? null : context.secretBox.decrypt(user.secretKeyEncrypted);
    return { userkeys: { apikey: user.apiKey, secretkey } };
  },
});

export const getUser = defineCommand({
  name: 'getUser',
  description: 'Finds a user by the API key.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { userapikey: required(string('API key of the user.')) },
  response: { objectName: 'user', fields: { user: field('object', 'The user.', userFields) } },
  async handle({ userapikey }, { db, caller }) {
    const row = await findUser(db, caller, { apiKey: userapikey });
    if (!row) throw invalid('Unable to find a user with that API key');
    return { user: userResponse(row.user, row, caller) };
  },
});
