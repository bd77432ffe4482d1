import { randomUUID } from 'node:crypto';
import { completeJob, createJob, type JobRow } from '../../db/jobs.js';
import { audit } from '../../db/audit.js';
import type { Transaction } from '../../db/client.js';
import { holdAccountToRun } from '../../db/hold-account.js';
import { findZones, hasServiceOffering } from '../../db/reads/find-deployment-parts.js';
import { copyTemplateTags } from '../../db/resource-tags.js';
import { OF_A_VM, requireRoom } from '../../db/require-room.js';
import { readSettings } from '../../db/settings.js';
import { createVirtualMachine, type NewVirtualMachine } from '../../db/virtual-machines.js';
import { newVncPassword } from '../../db/vnc-password.js';
import { SlipwayError } from '../../shared/errors.js';
import type { DeployVirtualMachineInput } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { checkHostName } from '../protocol/host-name.js';
import type { ArgumentsOf } from '../protocol/parameters.js';
import { missingParameter, noSuchEntity } from '../protocol/standard-texts.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { begin, earlierJob, jobOfCall } from './async-jobs.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { deployableTemplate } from './deploy-virtual-machine/deployable-template.js';
import { deploymentDeadlineMs } from './deploy-virtual-machine/deadline.js';
import { keyPairsOf } from './deploy-virtual-machine/key-pairs.js';
import { nicsOf } from './deploy-virtual-machine/nics.js';
import { params } from './deploy-virtual-machine/parameters.js';
import { rootDiskOf } from './deploy-virtual-machine/root-disk.js';
import { onBehalfOf } from './on-behalf-of.js';
import { withinOf } from './within.js';

const JOB_CMD = 'deployVirtualMachine';

export const deployVirtualMachine = defineCommand({
  name: 'deployVirtualMachine',
  description:
    'Creates and starts a virtual machine from a template, or from an ISO with a blank disk. The template is ' +
    'downloaded to the pool of the chosen host if it is not there; when a host or a mirror fails the next one is tried. ' +
    'With startvm=false all of that happens when it is started.',
  kind: 'asyncCreate',
  allowedRoles: EVERYBODY,
  params,
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle(args, context) {
    const asOwner = { ...context, caller: await onBehalfOf(args, context) };
    const earlier = await earlierJob(context.db, asOwner, { customjobid: args.customjobid, jobCmd: JOB_CMD });
    if (earlier) return { id: earlier.instanceId!, jobid: earlier.id };
    const { job, isNew } = await insert(await orderOf(args, context, asOwner), args.customjobid, asOwner);
    if (isNew && args.startvm) begin(job, context);
    return { id: job.instanceId!, jobid: job.id };
  },
});

type Arguments = ArgumentsOf<typeof params>;

interface Order {
  vm: NewVirtualMachine;
  isTagged: boolean;
  within: DeployVirtualMachineInput['within'];
}

/**
 * What is to be deployed, once everything that was named is there and may be used.
 *
 * @param asOwner the call as its owner would make it: nobody is given what they may not use. Places are the caller's to name
 */
async function orderOf(args: Arguments, context: CommandContext, asOwner: CommandContext): Promise<Order> {
  const { db, command, secretBox } = context;
  if (args.name !== undefined) checkHostName(args.name);
  if (!args.templateid) throw missingParameter(command, 'templateid');
  const zone = await zoneOf(args.zoneid, context);
  if (!(await hasServiceOffering(db, args.serviceofferingid))) {
    throw noSuchEntity(command, 'serviceofferingid', args.serviceofferingid);
  }
  const named = { id: args.templateid, zoneId: zone.id, zoneName: `zone ${zone.name}` };
  const template = await deployableTemplate(named, asOwner);
  const { userdata } = args;
  return {
    vm: {
      name: args.name,
      displayName: args.displayname,
      accountId: asOwner.caller.accountId,
      zoneId: zone.id,
      templateId: template.id,
      serviceOfferingId: args.serviceofferingid,
      isoId: template.format === 'ISO' ? template.id : undefined,
      rootDisk: await rootDiskOf(args, template, context),
      nics: await nicsOf(args, zone, asOwner),
      keyPairs: await keyPairsOf(args, asOwner),
      userDataEncrypted: userdata === undefined ? undefined : secretBox.encrypt(userdata),
      vncPasswordEncrypted: newVncPassword(secretBox),
      state: args.startvm ? 'Starting' : 'Stopped',
    },
    isTagged: args.copyimagetags,
    within: await withinOf(args, zone.id, context),
  };
}

async function zoneOf(id: string, { db, caller, command }: CommandContext): Promise<{ id: string; name: string }> {
  const [zone] = await findZones(db, [id]);
  if (!zone) throw noSuchEntity(command, 'zoneid', id);
  if (zone.allocationState !== 'Enabled' && caller.role !== 'Admin') {
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      `Cannot perform this operation, zone ${zone.name} is currently disabled`,
    );
  }
  return zone;
}

/**
 * VM and job appear together or not at all.
 *
 * @returns `isNew` is false when the same `customjobid` arrived twice at once, and the other call was first
 */
async function insert(
  { vm, isTagged, within }: Order,
  customjobid: string | undefined,
  { db, caller }: CommandContext,
): Promise<{ job: JobRow; isNew: boolean }> {
  const settings = await readSettings(db);
  const deadlineMs = deploymentDeadlineMs(settings);
  const [vmId, jobId] = [randomUUID(), customjobid ?? randomUUID()];
  const { zoneId, templateId } = vm;
  return db.transaction(async (tx) => {
    // The job first: a repeated call ends here, and not at a MAC address that the first one has taken.
    const job = await createJob(tx, {
      id: jobId,
      accountId: caller.accountId,
      userId: caller.userId,
      jobCmd: JOB_CMD,
      workflowType: 'deployVirtualMachine',
      workflowId: vmWorkflowId(vmId),
      workflowInput: { vmId, jobId, deadlineMs, zoneId, templateId, ...(within ? { within } : {}) },
      instanceType: 'VirtualMachine',
      instanceId: vmId,
    });
    if (job.instanceId !== vmId) {
      return { job: jobOfCall(job, { jobCmd: JOB_CMD, accountId: caller.accountId }), isNew: false };
    }
    const isOwnerLocked = caller.role !== 'Admin';
    const { name } = await createVirtualMachine(tx, { ...vm, id: vmId, lockBy: isOwnerLocked ? settings : undefined });
    // Let in before it was disabled, the call may have waited for that.
    await holdAccountToRun(tx, caller.accountId);
    if (isTagged) await copyTemplateTags(tx, { templateId, vmId, accountId: caller.accountId });
    await requireRoom(tx, { ...caller, isLocked: true }, OF_A_VM, settings);
    if (vm.state === 'Stopped') await endWithoutStart(tx, job, name);
    return { job, isNew: true };
  });
}

/** No workflow: nothing is to be done on any host before somebody starts it. */
async function endWithoutStart(
  tx: Transaction,
  { id, accountId, userId, instanceId }: JobRow,
  name: string,
): Promise<void> {
  await completeJob(tx, id, { status: 'succeeded', resultCode: 0, result: {} });
  const what = { type: 'VM.CREATE', description: `VM ${name} was made and not started` };
  await audit(tx, { accountId, userId }, { ...what, resourceType: 'VirtualMachine', resourceId: instanceId });
}
