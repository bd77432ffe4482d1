import { changeServiceOfferingOf } from '../../db/change-service-offering.js';
import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { findVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields, virtualMachineResponse } from '../responses/virtual-machine.js';
import { asyncParameters, earlierJob } from './async-jobs.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { stillThere } from './still-there.js';

const params = {
  id: required(uuid('ID of the virtual machine.')),
  serviceofferingid: required(uuid('ID of the service offering.')),
  // The root disk neither moves nor changes its size.
  ...withoutEffect({ automigrate: { type: 'boolean', since: '4.17' }, shrinkok: { type: 'boolean', since: '4.17' } }),
  ...unsupported({
    details: { type: 'map' },
    maxiops: { type: 'long', since: '4.17' },
    miniops: { type: 'long', since: '4.17' },
  }),
};

const description =
  'Gives a stopped virtual machine another service offering, which its next start takes of a host. Its root disk stays as it is.';

async function requireOwn(id: string, { db, caller, command }: CommandContext): Promise<void> {
  if (!(await findOwnVirtualMachine(db, caller, id))) throw noSuchEntity(command, 'id', id);
}

export const changeServiceForVirtualMachine = defineCommand({
  name: 'changeServiceForVirtualMachine',
  description,
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params,
  response: {
    objectName: 'virtualmachine',
    fields: { virtualmachine: field('object', 'The virtual machine.', virtualMachineFields) },
  },
  async handle({ id, serviceofferingid: serviceOfferingId }, context) {
    const { db, caller, command } = context;
    await requireOwn(id, context);
    const change = { vmId: id, serviceOfferingId, userId: caller.userId };
    const isKnown = await db.transaction((tx) => changeServiceOfferingOf(tx, change));
    if (!isKnown) throw noSuchEntity(command, 'serviceofferingid', serviceOfferingId);
    return {
      virtualmachine: virtualMachineResponse(stillThere(await findVirtualMachine(db, id), id, context), caller),
    };
  },
});

export const scaleVirtualMachine = defineCommand({
  name: 'scaleVirtualMachine',
  description,
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: { ...asyncParameters, ...params },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle({ id, serviceofferingid: serviceOfferingId, customjobid }, context) {
    const call = { jobCmd: 'scaleVirtualMachine', customjobid, instanceType: 'VirtualMachine', instanceId: id };
    // Before the VM is looked up: the call may be repeated when it is gone.
    const earlier = await earlierJob(context.db, context, call);
    if (earlier) return { jobid: earlier.id };
    await requireOwn(id, context);
    return doneAtOnce(call, context, async (tx, jobId) => {
      const change = { vmId: id, serviceOfferingId, userId: context.caller.userId, jobId };
      const isKnown = await changeServiceOfferingOf(tx, change);
      if (!isKnown) throw noSuchEntity(context.command, 'serviceofferingid', serviceOfferingId);
      return true;
    });
  },
});
