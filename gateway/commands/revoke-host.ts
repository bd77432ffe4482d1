import { isSlipwayError } from '../../shared/errors.js';
import { revokeHost as revoke } from '../../db/revoke-host.js';
import { hostKey } from '../../shared/search-attributes.js';
import { hostRevocationWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

const TELL_TIMEOUT_MS = 10_000;

export const revokeHost = defineCommand({
  name: 'revokeHost',
  description:
    'Trusts a lost or stolen host with nothing any more: no secret is sealed to its key, it gets no work, and what it ' +
    'says is ignored. Its virtual machines stay on it, with hoststatus Revoked, until it is declared as Degraded. ' +
    'Slipway has this command, CloudStack has not.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the host.')),
    forced: withDefault(boolean('Whether also a host that is Up is revoked.'), false),
  },
  response: {
    objectName: 'revokehost',
    fields: {
      success: field('boolean', 'True.'),
      virtualmachines: field('list', 'Virtual machines that it may still run.', {
        id: field('string', 'ID of the virtual machine.'),
        name: field('string', 'Name.'),
        state: field('string', 'State.'),
      }),
    },
  },
  async handle({ id, forced }, context) {
    const { db, caller, command } = context;
    const revoked = await revoke(db, caller, id, forced);
    if (!revoked) throw noSuchEntity(command, 'id', id);
    try {
      await context.executeWorkflow({
        workflowType: 'revokeHost',
        workflowId: hostRevocationWorkflowId(id),
        input: { hostId: id },
        searchAttributes: [{ key: hostKey, value: id }],
        summary: `Cut off host ${id}`,
        timeoutMs: TELL_TIMEOUT_MS,
      });
    } catch (error) {
      // It is revoked: that must not wait for Temporal. Downloads there are told at the next look at their host.
      if (!isSlipwayError(error)) throw error;
    }
    return { success: true, virtualmachines: revoked.virtualMachines };
  },
});
