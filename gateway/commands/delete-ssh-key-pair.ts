import { removeKeyPair } from '../../db/ssh-key-pairs.js';
import { field } from '../protocol/fields.js';
import { required, string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { onBehalfOf, onBehalfParameters } from './on-behalf-of.js';

export const deleteSSHKeyPair = defineCommand({
  name: 'deleteSSHKeyPair',
  description: 'Deletes a key pair. Virtual machines that were deployed with it keep it.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    name: required(string('Name of the key pair.')),
    ...onBehalfParameters,
    ...unsupported({ projectid: { type: 'uuid' } }),
  },
  response: { objectName: 'deletesshkeypair', fields: { success: field('boolean', 'True.') } },
  async handle({ name, ...named }, context) {
    await removeKeyPair(context.db, await onBehalfOf(named, context), name);
    return { success: true };
  },
});
