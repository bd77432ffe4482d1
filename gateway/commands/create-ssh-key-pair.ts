import { findKeyPair } from '../../db/reads/list-ssh-key-pairs.js';
import { insertKeyPair } from '../../db/ssh-key-pairs.js';
import { field } from '../protocol/fields.js';
import { required, string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { keyPairFields, keyPairResponse } from '../responses/ssh-key-pair.js';
import { makeKeyPair } from '../ssh-keys/make-key-pair.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { onBehalfOf, onBehalfParameters } from './on-behalf-of.js';
import { stillThere } from './still-there.js';

export const createSSHKeyPair = defineCommand({
  name: 'createSSHKeyPair',
  description: 'Makes a key pair. The answer has the private key; it is kept nowhere and cannot be had again.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    name: required(string('Name of the key pair.')),
    ...onBehalfParameters,
    ...unsupported({ projectid: { type: 'uuid' } }),
  },
  response: {
    objectName: 'keypair',
    fields: {
      keypair: field('object', 'The key pair.', {
        ...keyPairFields,
        privatekey: field('string', 'The private key in PEM (PKCS #1).'),
      }),
    },
  },
  async handle({ name, ...named }, context) {
    const { db } = context;
    const owner = await onBehalfOf(named, context);
    const { publicKey, privateKey } = await makeKeyPair();
    const { line, fingerprint } = publicKey;
    const id = await insertKeyPair(db, owner, { name, publicKey: line, fingerprint });
    return {
      keypair: { ...keyPairResponse(stillThere(await findKeyPair(db, id), id, context)), privatekey: privateKey },
    };
  },
});
