import type { VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import { SlipwayError } from '../../shared/errors.js';
import { required, uuid } from '../protocol/parameters.js';
import { withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { requireRunningOrStopped, startVirtualMachineJob } from './virtual-machine-job.js';

export const detachIso = defineCommand({
  name: 'detachIso',
  description: 'Takes the ISO out of the CD-ROM drive of a virtual machine.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    virtualmachineid: required(uuid('ID of the virtual machine.')),
    // A tray that the guest has locked is opened anyway.
    ...withoutEffect({ forced: { type: 'boolean', since: '4.15.1' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  handle({ virtualmachineid: id, customjobid }, context) {
    const input = (row: VirtualMachineRow): Record<string, never> => {
      requireRunningOrStopped(row);
      if (row.isoId === null) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'The specified VM has no ISO attached to it.');
      }
      return {};
    };
    return startVirtualMachineJob(
      { jobCmd: 'detachIso', id, idParameter: 'virtualmachineid', customjobid, input },
      context,
    );
  },
});
