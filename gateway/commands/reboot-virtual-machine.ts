import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { startVirtualMachineJob } from './virtual-machine-job.js';

export const rebootVirtualMachine = defineCommand({
  name: 'rebootVirtualMachine',
  description:
    'Reboots a running virtual machine: its guest is asked to, and it is reset when the guest has not within the ' +
    'setting stop.script.timeout.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the virtual machine.')),
    forced: withDefault(boolean('Whether to reset it at once, without asking the guest.', { since: '4.16.0' }), false),
    ...unsupported({ bootintosetup: { type: 'boolean', since: '4.15.0.0' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  handle: ({ id, forced, customjobid }, context) =>
    startVirtualMachineJob({ jobCmd: 'rebootVirtualMachine', id, customjobid, input: { isForced: forced } }, context),
});
