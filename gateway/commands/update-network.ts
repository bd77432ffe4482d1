import { renameNetwork } from '../../db/networks.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { networkFields } from '../responses/network.js';
import { asyncParameters } from './async-jobs.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';

const JOB_CMD = 'updateNetwork';

export const updateNetwork = defineCommand({
  name: JOB_CMD,
  description: 'Changes name and display text of a network.',
  kind: 'async',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the network.')),
    name: string('New name.'),
    displaytext: string('New text for people.'),
    ...withoutEffect({
      forced: { type: 'boolean' },
      updateinsequence: { type: 'boolean' },
      hideipaddressusage: { type: 'boolean' },
    }),
    ...unsupported({
      changecidr: { type: 'boolean' },
      customid: { type: 'string', since: '4.4' },
      displaynetwork: { type: 'boolean', harmless: 'true' },
      dns1: { type: 'string', since: '4.18.0' },
      dns2: { type: 'string', since: '4.18.0' },
      guestvmcidr: { type: 'string' },
      ip6dns1: { type: 'string', since: '4.18.0' },
      ip6dns2: { type: 'string', since: '4.18.0' },
      networkdomain: { type: 'string' },
      networkofferingid: { type: 'uuid' },
      privatemtu: { type: 'integer', since: '4.18.0' },
      publicmtu: { type: 'integer', since: '4.18.0' },
      sourcenatipaddress: { type: 'string', since: '4.19' },
    }),
  },
  response: { objectName: 'network', fields: { network: field('object', 'The network.', networkFields) } },
  handle: ({ id, name, displaytext, customjobid }, context) =>
    doneAtOnce({ jobCmd: JOB_CMD, customjobid, instanceType: 'Network', instanceId: id }, context, (tx) =>
      renameNetwork(tx, context.caller, { id, name, displayText: displaytext }),
    ),
});
