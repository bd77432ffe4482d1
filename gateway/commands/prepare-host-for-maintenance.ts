import { field } from '../protocol/fields.js';
import { boolean, withDefault } from '../protocol/parameters.js';
import { hostFields } from '../responses/host.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { hostJobParameters, startHostJob } from './host-job.js';

export const prepareHostForMaintenance = defineCommand({
  name: 'prepareHostForMaintenance',
  description:
    'Has a host take no new work. Virtual machines run on there, and the result names them, unless they are to be ' +
    'stopped. The resource state is Maintenance when the last of them has left.',
  kind: 'async',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...hostJobParameters,
    stopvirtualmachines: withDefault(
      boolean(
        'Whether what runs there is stopped: each guest is asked to power off, and ended when it has not. Slipway has ' +
          'this parameter, CloudStack has not.',
      ),
      false,
    ),
  },
  response: {
    objectName: 'host',
    fields: {
      ...hostFields,
      virtualmachines: field('list', 'What may still run there. Slipway has this key, CloudStack has not.', {
        id: field('string', 'ID of the virtual machine.'),
        name: field('string', 'Name.'),
        state: field('string', 'State when the job ended.'),
      }),
    },
  },
  handle: ({ id, customjobid, stopvirtualmachines }, context) =>
    startHostJob(
      {
        jobCmd: 'prepareHostForMaintenance',
        id,
        customjobid,
        input: { stopsVirtualMachines: stopvirtualmachines },
      },
      context,
    ),
});
