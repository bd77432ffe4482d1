import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { startVirtualMachineJob } from './virtual-machine-job.js';

export const stopVirtualMachine = defineCommand({
  name: 'stopVirtualMachine',
  description:
    'Stops a virtual machine: its guest is asked to power off, and it is ended when the guest has not within the ' +
    'setting stop.script.timeout. Its disk stays; CPU and memory of its host are free again.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the virtual machine.')),
    forced: withDefault(
      boolean(
        'Whether to end it at once, without asking the guest. It is Stopped then even if its host does not answer: the ' +
          'host ends it when it is back, and until then no host starts it.',
      ),
      false,
    ),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  handle: ({ id, forced, customjobid }, context) =>
    startVirtualMachineJob({ jobCmd: 'stopVirtualMachine', id, customjobid, input: { isForced: forced } }, context),
});
