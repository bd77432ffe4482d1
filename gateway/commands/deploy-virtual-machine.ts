import { randomUUID } from 'node:crypto';
import { createJob, type JobRow } from '../../db/jobs.js';
import { findTemplate, findZones, hasServiceOffering } from '../../db/reads/find-deployment-parts.js';
import { readSettings } from '../../db/settings.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { SlipwayError } from '../../shared/errors.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { type ArgumentsOf, required, string, uuid } from '../protocol/parameters.js';
import { missingParameter, noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters, earlierJob, jobOfCall } from './async-jobs.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';

const JOB_CMD = 'deployVirtualMachine';

const params = {
  ...asyncParameters,
  zoneid: required(uuid('ID of the zone.')),
  serviceofferingid: required(uuid('ID of the service offering.')),
  templateid: uuid('ID of the template; required.'),
  name: string('Host name: letters, digits and hyphens, at most 63. One is made when absent.'),
  displayname: string('Name for people; the name when absent.'),
  ...withoutEffect({ keyboard: { type: 'string' } }),
  ...unsupported({
    customid: { type: 'string' },
    password: { type: 'string', since: '4.19.0.0' },
    account: { type: 'string' },
    domainid: { type: 'uuid' },
    projectid: { type: 'uuid' },
    networkids: { type: 'list' },
    boottype: { type: 'string', since: '4.14.0.0', harmless: 'bios' },
    bootmode: { type: 'string', since: '4.14.0.0', harmless: 'legacy' },
    bootintosetup: { type: 'boolean', since: '4.15.0.0' },
    diskofferingid: { type: 'uuid' },
    size: { type: 'long' },
    rootdisksize: { type: 'long', since: '4.4' },
    datadisksdetails: { type: 'map', since: '4.21.0' },
    group: { type: 'string' },
    hypervisor: { type: 'string', harmless: 'kvm' },
    userdata: { type: 'string' },
    userdataid: { type: 'uuid', since: '4.18' },
    userdatadetails: { type: 'map', since: '4.18' },
    keypair: { type: 'string' },
    keypairs: { type: 'list', since: '4.17' },
    hostid: { type: 'uuid' },
    podid: { type: 'uuid' },
    clusterid: { type: 'uuid' },
    securitygroupids: { type: 'list' },
    securitygroupnames: { type: 'list' },
    iptonetworklist: { type: 'map' },
    ipaddress: { type: 'string' },
    ip6address: { type: 'string' },
    macaddress: { type: 'string' },
    startvm: { type: 'boolean', harmless: 'true' },
    affinitygroupids: { type: 'list' },
    affinitygroupnames: { type: 'list' },
    displayvm: { type: 'boolean', since: '4.2', harmless: 'true' },
    details: { type: 'map', since: '4.3' },
    deploymentplanner: { type: 'string', since: '4.4' },
    dhcpoptionsnetworklist: { type: 'map' },
    datadiskofferinglist: { type: 'map', since: '4.11' },
    extraconfig: { type: 'string', since: '4.12' },
    copyimagetags: { type: 'boolean', since: '4.13' },
    properties: { type: 'map', since: '4.15' },
    nicnetworklist: { type: 'map', since: '4.15' },
    dynamicscalingenabled: { type: 'boolean', since: '4.16' },
    overridediskofferingid: { type: 'uuid', since: '4.17' },
    iothreadsenabled: { type: 'boolean' },
    iodriverpolicy: { type: 'string' },
    nicmultiqueuenumber: { type: 'integer', since: '4.18' },
    nicpackedvirtqueuesenabled: { type: 'boolean', since: '4.18' },
    leaseduration: { type: 'integer', since: '4.21.0' },
    leaseexpiryaction: { type: 'string', since: '4.21.0' },
    externaldetails: { type: 'map', since: '4.21.0' },
    volumeid: { type: 'uuid', since: '4.21' },
    snapshotid: { type: 'uuid', since: '4.21' },
  }),
};

export const deployVirtualMachine = defineCommand({
  name: 'deployVirtualMachine',
  description:
    'Creates and starts a virtual machine from a template. The template is downloaded to the pool of the chosen host ' +
    'if it is not there; when a host or a mirror fails the next one is tried.',
  kind: 'asyncCreate',
  allowedRoles: EVERYBODY,
  params,
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle(args, context) {
    const earlier = await earlierJob(context.db, context, { customjobid: args.customjobid, jobCmd: JOB_CMD });
    if (earlier) return { id: earlier.instanceId!, jobid: earlier.id };
    const { job, isNew } = await insert({ ...args, templateId: await checkParts(args, context) }, context);
    // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
    if (isNew) void context.startJob(job);
    return { id: job.instanceId!, jobid: job.id };
  },
});

type Arguments = ArgumentsOf<typeof params>;

/** @returns the id of the template, once everything that was named is there and may be used */
async function checkParts(args: Arguments, { db, caller, command }: CommandContext): Promise<string> {
  if (args.name !== undefined && !HOST_NAME.test(args.name)) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      "Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-'), " +
        'must be between 1 and 63 characters long, and can\'t start or end with "-" and can\'t start with digit',
    );
  }
  if (!args.templateid) throw missingParameter(command, 'templateid');
  const [zone] = await findZones(db, [args.zoneid]);
  if (!zone) throw noSuchEntity(command, 'zoneid', args.zoneid);
  if (zone.allocationState !== 'Enabled' && caller.role !== 'Admin') {
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      `Cannot perform this operation, zone ${zone.name} is currently disabled`,
    );
  }
  if (!(await hasServiceOffering(db, args.serviceofferingid))) {
    throw noSuchEntity(command, 'serviceofferingid', args.serviceofferingid);
  }
  const template = await findTemplate(db, caller, { id: args.templateid, zoneId: zone.id });
  if (!template) throw noSuchEntity(command, 'templateid', args.templateid);
  if (template.format === 'ISO') {
    // CloudStack's words for an ISO without a disk to install to; diskofferingid is refused, so none can be given.
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      'Installing from ISO requires a disk offering to be specified for the root disk.',
    );
  }
  if (!template.isInZone) {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `Template ${template.name} is not registered in zone ${zone.name}`,
    );
  }
  return args.templateid;
}

/** RFC 1035: a label that begins with a letter. */
const HOST_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** The same `customjobid` arrived twice at once, and the other call was first. */
class OvertakenError extends Error {
  readonly job: JobRow;
  constructor(job: JobRow) {
    super(`Job ${job.id} exists`);
    this.job = job;
  }
}

/** VM and job appear together or not at all. */
async function insert(
  args: Arguments & { templateId: string },
  { db, caller }: CommandContext,
): Promise<{ job: JobRow; isNew: boolean }> {
  const jobId = args.customjobid ?? randomUUID();
  const deadlineMs = Number((await readSettings(db))['deployment.deadline']) * 1000;
  try {
    const job = await db.transaction(async (tx) => {
      const vm = await createVirtualMachine(tx, {
        name: args.name,
        displayName: args.displayname,
        accountId: caller.accountId,
        zoneId: args.zoneid,
        templateId: args.templateId,
        serviceOfferingId: args.serviceofferingid,
      });
      const created = await createJob(tx, {
        id: jobId,
        accountId: caller.accountId,
        userId: caller.userId,
        jobCmd: JOB_CMD,
        workflowType: 'deployVirtualMachine',
        workflowId: vmWorkflowId(vm.id),
        workflowInput: { vmId: vm.id, jobId, deadlineMs },
        instanceType: 'VirtualMachine',
        instanceId: vm.id,
      });
      if (created.instanceId !== vm.id) {
        throw new OvertakenError(jobOfCall(created, { jobCmd: JOB_CMD, accountId: caller.accountId }));
      }
      return created;
    });
    return { job, isNew: true };
  } catch (error) {
    if (error instanceof OvertakenError) return { job: error.job, isNew: false };
    throw error;
  }
}
