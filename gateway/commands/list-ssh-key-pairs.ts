import { listKeyPairs } from '../../db/reads/list-ssh-key-pairs.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { keyPairFields, keyPairResponse } from '../responses/ssh-key-pair.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';

export const listSSHKeyPairs = defineCommand({
  name: 'listSSHKeyPairs',
  description: 'Lists SSH key pairs: those of the caller, for a root admin all.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the key pair.'),
    name: string('Name of the key pair.'),
    fingerprint: string('Fingerprint of the public key.'),
    ...scopeParameters,
    ...unsupported({ projectid: { type: 'uuid' } }),
  },
  response: { objectName: 'sshkeypair', fields: keyPairFields },
  async handle(args, context) {
    const { db, caller } = context;
    const filter = {
      id: args.id,
      name: args.name,
      fingerprint: args.fingerprint,
      scope: await scopeOf(args, context, { hasId: args.id !== undefined }),
      keyword: args.keyword,
    };
    const { count, rows } = await listKeyPairs(db, caller, filter, pageOf(args));
    return { count, items: rows.map(keyPairResponse) };
  },
});
