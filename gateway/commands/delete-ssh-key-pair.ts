import { removeKeyPair } from '../../db/ssh-key-pairs.js';
import { field } from '../protocol/fields.js';
import { required, string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const deleteSSHKeyPair = defineCommand({
  name: 'deleteSSHKeyPair',
  description: 'Deletes a key pair of the caller. Virtual machines that were deployed with it keep it.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    name: required(string('Name of the key pair.')),
    ...unsupported({ account: { type: 'string' }, domainid: { type: 'uuid' }, projectid: { type: 'uuid' } }),
  },
  response: { objectName: 'deletesshkeypair', fields: { success: field('boolean', 'True.') } },
  async handle({ name }, { db, caller }) {
    await removeKeyPair(db, caller, name);
    return { success: true };
  },
});
