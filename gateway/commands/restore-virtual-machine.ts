import type { VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import type { RestoreVirtualMachineInput } from '../../shared/virtual-machines.js';
import { required, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters } from './async-jobs.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { deployableTemplate } from './deploy-virtual-machine/deployable-template.js';
import { offeredDisk } from './deploy-virtual-machine/offered-disk.js';
import { diskSize, toBytes } from './disk-size.js';
import { ownVirtualMachine, requireRunningOrStopped, startVirtualMachineJob } from './virtual-machine-job.js';

export const restoreVirtualMachine = defineCommand({
  name: 'restoreVirtualMachine',
  description:
    'Gives a virtual machine a new root disk, from its own template as it is now or from another one, and removes the old ' +
    'disk. Nothing is downloaded when the pool has the template. It runs afterwards if it ran before. When that fails or is ' +
    'cancelled, it has its old disk.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    virtualmachineid: required(uuid('ID of the virtual machine.')),
    templateid: uuid('ID of the template or ISO of the new disk; that of the virtual machine when absent.'),
    diskofferingid: uuid('ID of the disk offering that says how large the new root disk is.', { since: '4.19.1' }),
    rootdisksize: diskSize(
      'Size of the new root disk in GiB. When absent, what was asked for when the virtual machine was made, or the size of ' +
        'the template.',
      { since: '4.19.1' },
    ),
    // The old disk is removed as soon as the new one is there, whatever this says.
    ...withoutEffect({ expunge: { type: 'boolean', since: '4.19.1' } }),
    ...unsupported({ details: { type: 'map', since: '4.19.1' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle(args, context) {
    const { virtualmachineid: id, templateid, customjobid } = args;
    const vm = await ownVirtualMachine({ id, idParameter: 'virtualmachineid', customjobid }, context);
    if (templateid !== undefined && vm) {
      const named = { id: templateid, zoneId: vm.zoneId, zoneName: 'the zone of the virtual machine' };
      await deployableTemplate(named, context);
    }
    const disk = await sizeOf(args, context);
    const input = (row: VirtualMachineRow): Omit<RestoreVirtualMachineInput, 'vmId' | 'jobId'> => {
      requireRunningOrStopped(row);
      return { ...disk, ...(templateid ? { templateId: templateid } : {}), isToRun: row.state === 'Running' };
    };
    const job = { jobCmd: 'restoreVirtualMachine', id, idParameter: 'virtualmachineid', customjobid, input };
    return startVirtualMachineJob(job, context);
  },
});

async function sizeOf(
  { diskofferingid, rootdisksize }: { diskofferingid?: string; rootdisksize?: number },
  context: CommandContext,
): Promise<{ sizeBytes?: number; diskOfferingId?: string }> {
  if (diskofferingid !== undefined) {
    return offeredDisk({ diskOfferingId: diskofferingid, sizeGib: rootdisksize }, context);
  }
  return rootdisksize === undefined ? {} : { sizeBytes: toBytes(rootdisksize) };
}
