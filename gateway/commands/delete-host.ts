import { hasHost } from '../../db/reads/list-hosts.js';
import { hostKey } from '../../shared/search-attributes.js';
import { hostRemovalWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

const DELETE_TIMEOUT_MS = 20_000;

export const deleteHost = defineCommand({
  name: 'deleteHost',
  description:
    'Removes a host that is in maintenance, with the pools that only it reaches. Nothing may run there, and no disk may ' +
    'be on those pools. Files on the host stay; its host worker gets no work any more.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the host.')),
    forced: withDefault(boolean('Whether one that is not Up, or is Degraded, needs no maintenance.'), false),
    ...unsupported({ forcedestroylocalstorage: { type: 'boolean' } }),
  },
  response: { objectName: 'deletehost', fields: { success: field('boolean', 'True.') } },
  async handle({ id, forced }, context) {
    const { db, caller, command } = context;
    if (!(await hasHost(db, id))) throw noSuchEntity(command, 'id', id);
    await context.executeWorkflow({
      workflowType: 'removeHost',
      workflowId: hostRemovalWorkflowId(id),
      input: { hostId: id, isForced: forced, accountId: caller.accountId, userId: caller.userId },
      searchAttributes: [{ key: hostKey, value: id }],
      summary: `Remove host ${id}`,
      timeoutMs: DELETE_TIMEOUT_MS,
    });
    return { success: true };
  },
});
