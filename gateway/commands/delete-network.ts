import { removeNetwork } from '../../db/networks.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { asyncParameters } from './async-jobs.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';

const JOB_CMD = 'deleteNetwork';

export const deleteNetwork = defineCommand({
  name: JOB_CMD,
  description: 'Deletes a network that no virtual machine has an interface in, destroyed ones included.',
  kind: 'async',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the network.')),
    ...unsupported({ forced: { type: 'boolean' } }),
  },
  response: { objectName: 'deletenetwork', fields: { success: field('boolean', 'True.') } },
  handle: ({ id, customjobid }, context) =>
    doneAtOnce({ jobCmd: JOB_CMD, customjobid, instanceType: 'Network', instanceId: id }, context, (tx) =>
      removeNetwork(tx, context.caller, id),
    ),
});
