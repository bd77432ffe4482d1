import type { Database } from '../../db/client.js';
import type { JobRow } from '../../db/jobs.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { findJob } from '../../db/reads/find-job.js';
import { findHost } from '../../db/reads/list-hosts.js';
import { findNetwork } from '../../db/reads/list-networks.js';
import { findVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { JOB_STATUS } from '../../db/schema/index.js';
import { readSettingsOf } from '../../db/scoped-settings.js';
import { apiDate, type ResponseBody } from '../protocol/envelope.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { hostResponse } from '../responses/host.js';
import { networkResponse } from '../responses/network.js';
import { virtualMachineResponse } from '../responses/virtual-machine.js';
import { defineCommand, EVERYBODY } from './define-command.js';

/** CloudStack shows a job's command as its Java class. */
const CLASS_NAMES = new Map([
  ['cancelHostAsDegraded', 'org.apache.cloudstack.api.command.admin.host.CancelHostAsDegradedCmd'],
  ['cancelHostMaintenance', 'org.apache.cloudstack.api.command.admin.host.CancelHostMaintenanceCmd'],
  ['declareHostAsDegraded', 'org.apache.cloudstack.api.command.admin.host.DeclareHostAsDegradedCmd'],
  ['attachIso', 'org.apache.cloudstack.api.command.user.iso.AttachIsoCmd'],
  ['detachIso', 'org.apache.cloudstack.api.command.user.iso.DetachIsoCmd'],
  ['restoreVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.RestoreVMCmd'],
  ['deleteIso', 'org.apache.cloudstack.api.command.user.iso.DeleteIsoCmd'],
  ['deleteNetwork', 'org.apache.cloudstack.api.command.user.network.DeleteNetworkCmd'],
  ['deleteTemplate', 'org.apache.cloudstack.api.command.user.template.DeleteTemplateCmd'],
  ['deployVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.DeployVMCmd'],
  ['destroyVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.DestroyVMCmd'],
  ['expungeVirtualMachine', 'org.apache.cloudstack.api.command.admin.vm.ExpungeVMCmd'],
  ['prepareHostForMaintenance', 'org.apache.cloudstack.api.command.admin.host.PrepareForHostMaintenanceCmd'],
  ['prepareTemplate', 'org.apache.cloudstack.api.command.admin.template.PrepareTemplateCmd'],
  ['rebootVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.RebootVMCmd'],
  ['startVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.StartVMCmd'],
  ['stopVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.StopVMCmd'],
  ['updateNetwork', 'org.apache.cloudstack.api.command.admin.network.UpdateNetworkCmdByAdmin'],
]);

export const queryAsyncJobResult = defineCommand({
  name: 'queryAsyncJobResult',
  description: 'Tells how a job stands. A job is kept whatever happens to the history of its workflow.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { jobid: required(uuid('ID of the job.')) },
  response: {
    objectName: 'asyncjobs',
    fields: {
      jobid: field('string', 'ID of the job.'),
      accountid: field('string', 'ID of the account that it works for.'),
      userid: field('string', 'ID of the user who called.'),
      cmd: field('string', "The command, as CloudStack's class of it is called."),
      jobstatus: field('integer', '0 in progress, 1 succeeded, 2 failed, 3 cancelled.'),
      jobprocstatus: field('integer', 'Always 0.'),
      jobresultcode: field('integer', '0, or the error code.'),
      jobresulttype: field('string', 'Always object.'),
      jobresult: field('object', 'What came of it: the resource, {success: true}, or errorcode and errortext.'),
      jobinstancetype: field('string', 'Type of the resource it works on.'),
      jobinstanceid: field('string', 'ID of the resource it works on.'),
      created: field('date', 'When it began.'),
      completed: field('date', 'When it ended.'),
    },
  },
  async handle({ jobid }, { db, caller, command }) {
    const job = await findJob(db, caller, jobid);
    if (!job) throw noSuchEntity(command, 'jobid', jobid);
    const hasEnded = job.jobStatus !== JOB_STATUS.inProgress;
    return {
      jobid: job.id,
      accountid: job.accountId,
      userid: job.userId,
      cmd: CLASS_NAMES.get(job.jobCmd) ?? job.jobCmd,
      jobstatus: job.jobStatus,
      jobprocstatus: 0,
      jobresultcode: job.jobResultCode,
      jobresulttype: hasEnded ? 'object' : undefined,
      jobresult: hasEnded ? await resultOf(db, caller, job) : undefined,
      jobinstancetype: job.instanceType,
      jobinstanceid: job.instanceId,
      created: apiDate(job.created),
      completed: apiDate(job.completed),
    };
  },
});

/**
 * A job that succeeded gives the resource as it is now, so that no worker has to know how the API shows it. After an
 * expunge there is none.
 */
async function resultOf(db: Database, caller: Caller, job: JobRow): Promise<ResponseBody> {
  if (job.jobStatus !== JOB_STATUS.succeeded) return (job.jobResult ?? {}) as ResponseBody;
  if (job.instanceType === 'Network' && job.instanceId !== null) {
    const network = await findNetwork(db, job.instanceId);
    return network ? { network: networkResponse(network, caller) } : { success: true };
  }
  if (job.instanceType === 'Host' && job.instanceId !== null) {
    const found = await findHost(db, job.instanceId);
    if (!found) return { success: true };
    const { virtualmachines } = (job.jobResult ?? {}) as ResponseBody;
    return { host: { ...hostResponse(found, await readSettingsOf(db, { hostId: job.instanceId })), virtualmachines } };
  }
  const isShown = job.instanceType === 'VirtualMachine' && job.instanceId !== null;
  const row = isShown ? await findVirtualMachine(db, job.instanceId!) : undefined;
  return !row || row.vm.state === 'Expunged'
    ? { success: true }
    : { virtualmachine: virtualMachineResponse(row, caller) };
}
