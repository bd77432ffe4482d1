import { requireExpungeRight } from '../auth/require-expunge-right.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { startVirtualMachineJob } from './virtual-machine-job.js';

export const destroyVirtualMachine = defineCommand({
  name: 'destroyVirtualMachine',
  description:
    'Stops a virtual machine and destroys it; with expunge its disk is deleted and it is gone for good, without it can ' +
    'be recovered.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the virtual machine.')),
    expunge: withDefault(boolean('Whether to delete it for good; false when absent.', { since: '4.2.1' }), false),
    ...unsupported({ volumeids: { type: 'list', since: '4.12.0' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle({ id, expunge, customjobid }, context) {
    if (expunge) await requireExpungeRight(context.db, context.caller, 'Expunging a vm');
    return startVirtualMachineJob({ jobCmd: 'destroyVirtualMachine', id, customjobid, input: { expunge } }, context);
  },
});
