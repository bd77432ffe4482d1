import { findKeyPair } from '../../db/reads/list-ssh-key-pairs.js';
import { insertKeyPair } from '../../db/ssh-key-pairs.js';
import { field } from '../protocol/fields.js';
import { required, string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { keyPairFields, keyPairResponse } from '../responses/ssh-key-pair.js';
import { parsePublicKey } from '../ssh-keys/public-key.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { onBehalfOf, onBehalfParameters } from './on-behalf-of.js';
import { stillThere } from './still-there.js';

export const registerSSHKeyPair = defineCommand({
  name: 'registerSSHKeyPair',
  description: 'Registers the public key of a pair that the caller has made.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    name: required(string('Name of the key pair.')),
    publickey: required(string('The public key in the one-line form of OpenSSH.', { maxLength: 5120 })),
    ...onBehalfParameters,
    ...unsupported({ projectid: { type: 'uuid' } }),
  },
  response: { objectName: 'keypair', fields: { keypair: field('object', 'The key pair.', keyPairFields) } },
  async handle({ name, publickey, ...named }, context) {
    const { db } = context;
    const owner = await onBehalfOf(named, context);
    const { line, fingerprint } = parsePublicKey(publickey);
    const id = await insertKeyPair(db, owner, { name, publicKey: line, fingerprint });
    return { keypair: keyPairResponse(stillThere(await findKeyPair(db, id), id, context)) };
  },
});
