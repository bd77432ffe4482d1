import { removeNetwork } from '../../db/networks.js';
import { findNetwork } from '../../db/reads/list-networks.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { asyncParameters, earlierJob } from './async-jobs.js';
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
  async handle({ id, customjobid }, context) {
    // Before the network is looked up: the call that deleted it may be repeated.
    const call = { jobCmd: JOB_CMD, customjobid, instanceId: id };
    const earlier = await earlierJob(context.db, context, call);
    if (earlier) return { jobid: earlier.id };
    if (!(await findNetwork(context.db, id))) throw noSuchEntity(context.command, 'id', id);
    return doneAtOnce({ ...call, instanceType: 'Network' }, context, (tx) => removeNetwork(tx, context.caller, id));
  },
});
