import { findTemplate } from '../../db/reads/find-deployment-parts.js';
import type { VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import { SlipwayError } from '../../shared/errors.js';
import { isDiskFormat } from '../../shared/images.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { ownVirtualMachine, requireRunningOrStopped, startVirtualMachineJob } from './virtual-machine-job.js';

export const attachIso = defineCommand({
  name: 'attachIso',
  description:
    'Puts an ISO into the CD-ROM drive of a virtual machine. It is downloaded to the pool of the root disk if it is not ' +
    'there.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the ISO.')),
    virtualmachineid: required(uuid('ID of the virtual machine.')),
    // A tray that the guest has locked is opened anyway.
    ...withoutEffect({ forced: { type: 'boolean', since: '4.15.1' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle({ id: isoId, virtualmachineid: id, customjobid }, context) {
    const vm = await ownVirtualMachine({ id, idParameter: 'virtualmachineid', customjobid }, context);
    if (vm) {
      const { db, caller, command } = context;
      const iso = await findTemplate(db, caller, { id: isoId, zoneId: vm.zoneId });
      if (!iso || isDiskFormat(iso.format)) throw noSuchEntity(command, 'id', isoId);
      if (!iso.isInZone) {
        throw new SlipwayError(
          'SLIPWAY_RESOURCE_STATE',
          `ISO ${iso.name} is not registered in the zone of the virtual machine`,
        );
      }
    }
    const input = (row: VirtualMachineRow): { isoId: string } => {
      requireRunningOrStopped(row);
      if (row.isoId !== null) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'The specified VM already has an ISO attached to it.');
      }
      return { isoId };
    };
    const job = { jobCmd: 'attachIso', id, idParameter: 'virtualmachineid', customjobid, input };
    return startVirtualMachineJob(job, context);
  },
});
