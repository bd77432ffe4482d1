import type { VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import { readSettings } from '../../db/settings.js';
import { required, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { deploymentDeadlineMs } from './deploy-virtual-machine/deadline.js';
import { ownVirtualMachine, startVirtualMachineJob } from './virtual-machine-job.js';
import { withinOf } from './within.js';

export const startVirtualMachine = defineCommand({
  name: 'startVirtualMachine',
  description:
    'Starts a stopped virtual machine from the root disk that it has, on a host that reaches its pool. When that host ' +
    'fails, the next one of a shared pool is tried. One that has no disk yet, since it was deployed with startvm=false, gets ' +
    'it as one that is deployed; when that fails it is Stopped again.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the virtual machine.')),
    podid: uuid('ID of the only pod whose hosts are tried; for root admins.'),
    clusterid: uuid('ID of the only cluster whose hosts are tried; for root admins.'),
    hostid: uuid('ID of the only host to try; for root admins.', { since: '3.0.1' }),
    // The host of a disk that one host has is the last one anyway.
    ...withoutEffect({ considerlasthost: { type: 'boolean', since: '4.18.0' } }),
    ...unsupported({
      deploymentplanner: { type: 'string', since: '4.4' },
      bootintosetup: { type: 'boolean', since: '4.15.0.0' },
    }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle({ id, customjobid, ...places }, context) {
    const vm = await ownVirtualMachine({ id, idParameter: 'id', customjobid }, context);
    const within = vm && (await withinOf(places, vm.zoneId, context));
    const settings = await readSettings(context.db);
    const firstStart = ({ dataCenterId: zoneId, templateId }: VirtualMachineRow) => ({
      deadlineMs: deploymentDeadlineMs(settings),
      zoneId,
      templateId,
      ...(within ? { within } : {}),
    });
    const input = within ?? {};
    return startVirtualMachineJob({ jobCmd: 'startVirtualMachine', id, customjobid, input, firstStart }, context);
  },
});
