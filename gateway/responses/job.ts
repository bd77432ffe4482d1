import type { Database } from '../../db/client.js';
import type { JobRow } from '../../db/jobs.js';
import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedJob } from '../../db/reads/list-jobs.js';
import { findListedAccount } from '../../db/reads/list-accounts.js';
import { findHost } from '../../db/reads/list-hosts.js';
import { findNetwork } from '../../db/reads/list-networks.js';
import { findVirtualMachines, type ListedVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { findUser } from '../../db/reads/list-users.js';
import { JOB_STATUS } from '../../db/schema/index.js';
import { readSettingsOf } from '../../db/scoped-settings.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { apiDate, type ResponseBody } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { SOMETHING_FAILED } from '../../shared/owner-text.js';
import { accountResponses } from './account.js';
import { hostResponse } from './host.js';
import { networkResponse } from './network.js';
import { shownStoragePool } from './shown-storage-pools.js';
import { userResponse } from './user.js';
import { virtualMachineResponse } from './virtual-machine.js';

/** CloudStack shows a job's command as its Java class. */
const CLASS_NAMES = new Map([
  ['cancelHostAsDegraded', 'org.apache.cloudstack.api.command.admin.host.CancelHostAsDegradedCmd'],
  ['cancelStorageMaintenance', 'org.apache.cloudstack.api.command.admin.storage.CancelPrimaryStorageMaintenanceCmd'],
  [
    'enableStorageMaintenance',
    'org.apache.cloudstack.api.command.admin.storage.PreparePrimaryStorageForMaintenanceCmd',
  ],
  ['cancelHostMaintenance', 'org.apache.cloudstack.api.command.admin.host.CancelHostMaintenanceCmd'],
  ['declareHostAsDegraded', 'org.apache.cloudstack.api.command.admin.host.DeclareHostAsDegradedCmd'],
  ['attachIso', 'org.apache.cloudstack.api.command.user.iso.AttachIsoCmd'],
  ['detachIso', 'org.apache.cloudstack.api.command.user.iso.DetachIsoCmd'],
  ['restoreVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.RestoreVMCmd'],
  ['createTags', 'org.apache.cloudstack.api.command.user.tag.CreateTagsCmd'],
  ['deleteTags', 'org.apache.cloudstack.api.command.user.tag.DeleteTagsCmd'],
  ['deleteAccount', 'org.apache.cloudstack.api.command.admin.account.DeleteAccountCmd'],
  ['deleteDomain', 'org.apache.cloudstack.api.command.admin.domain.DeleteDomainCmd'],
  ['disableAccount', 'org.apache.cloudstack.api.command.admin.account.DisableAccountCmd'],
  ['disableUser', 'org.apache.cloudstack.api.command.admin.user.DisableUserCmd'],
  ['deleteIso', 'org.apache.cloudstack.api.command.user.iso.DeleteIsoCmd'],
  ['deleteNetwork', 'org.apache.cloudstack.api.command.user.network.DeleteNetworkCmd'],
  ['deleteTemplate', 'org.apache.cloudstack.api.command.user.template.DeleteTemplateCmd'],
  ['deployVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.DeployVMCmd'],
  ['destroyVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.DestroyVMCmd'],
  ['expungeVirtualMachine', 'org.apache.cloudstack.api.command.admin.vm.ExpungeVMCmd'],
  ['prepareHostForMaintenance', 'org.apache.cloudstack.api.command.admin.host.PrepareForHostMaintenanceCmd'],
  ['prepareTemplate', 'org.apache.cloudstack.api.command.admin.template.PrepareTemplateCmd'],
  ['rebootVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.RebootVMCmd'],
  ['resetSSHKeyForVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.ResetVMSSHKeyCmd'],
  ['scaleVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.ScaleVMCmd'],
  ['startVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.StartVMCmd'],
  ['stopVirtualMachine', 'org.apache.cloudstack.api.command.user.vm.StopVMCmd'],
  ['updateNetwork', 'org.apache.cloudstack.api.command.admin.network.UpdateNetworkCmdByAdmin'],
]);

export const jobFields = {
  jobid: field('string', 'ID of the job.'),
  accountid: field('string', 'ID of the account that it works for.'),
  account: field('string', 'Name of the account that it works for.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  userid: field('string', 'ID of the user who called.'),
  cmd: field('string', "The command, as CloudStack's class of it is called."),
  jobstatus: field('integer', '0 in progress, 1 succeeded, 2 failed, 3 cancelled.'),
  jobprocstatus: field('integer', 'Always 0.'),
  jobresultcode: field('integer', '0, or the error code.'),
  jobresulttype: field('string', 'Always object.'),
  jobresult: field(
    'object',
    'What came of it: the resource, {success: true}, or errorcode and errortext. Only to root admins the text names hosts, pools and sources.',
  ),
  jobinstancetype: field('string', 'Type of the resource it works on.'),
  jobinstanceid: field('string', 'ID of the resource it works on.'),
  created: field('date', 'When it began.'),
  completed: field('date', 'When it ended.'),
} as const;

/** A page of jobs: their virtual machines in one query, however many there are. */
export async function jobResponses(
  db: Database,
  caller: Caller,
  rows: readonly ListedJob[],
): Promise<ResponseOf<typeof jobFields>[]> {
  const shown = rows.filter(({ job }) => job.instanceType === 'VirtualMachine' && hasSucceeded(job));
  const vms = await findVirtualMachines(
    db,
    shown.flatMap(({ job }) => job.instanceId ?? []),
  );
  const byId = new Map(vms.map((row) => [row.vm.id, row]));
  return Promise.all(
    rows.map(async (row) => ({
      ...jobResponse(row, caller),
      ...(hasSucceeded(row.job)
        ? { jobresult: await resourceOf(db, caller, row.job, byId.get(row.job.instanceId ?? '')) }
        : {}),
    })),
  );
}

/** But for what a job that succeeded has made, or changed. */
export function jobResponse({ job, ...owner }: ListedJob, caller: Caller): ResponseOf<typeof jobFields> {
  const hasEnded = job.jobStatus !== JOB_STATUS.inProgress;
  return {
    jobid: job.id,
    accountid: job.accountId,
    account: owner.accountName,
    domainid: owner.domainId,
    domainpath: shownDomainPath(owner.domainPath),
    userid: job.userId,
    cmd: CLASS_NAMES.get(job.jobCmd) ?? job.jobCmd,
    jobstatus: job.jobStatus,
    jobprocstatus: 0,
    jobresultcode: job.jobResultCode,
    jobresulttype: hasEnded ? 'object' : undefined,
    jobresult: hasEnded && !hasSucceeded(job) ? failureOf(job, caller) : undefined,
    jobinstancetype: job.instanceType,
    jobinstanceid: job.instanceId,
    created: apiDate(job.created),
    completed: apiDate(job.completed),
  };
}

/** Hosts, pools and what sources answered are for root admins. A result of an earlier release has a text for them only. */
function failureOf({ jobResult }: JobRow, { role }: Caller): ResponseBody {
  const { ownertext, ...result } = (jobResult ?? {}) as ResponseBody & { ownertext?: string };
  return role === 'Admin' ? result : { ...result, errortext: ownertext ?? SOMETHING_FAILED };
}

const hasSucceeded = (job: JobRow): boolean => job.jobStatus === JOB_STATUS.succeeded;

/**
 * The resource as it is now, so that no worker has to know how the API shows it. After a
 * destroy it is still the machine, expunged or not: cloudstack-go fails at anything else.
 */
async function resourceOf(
  db: Database,
  caller: Caller,
  job: JobRow,
  vm: ListedVirtualMachine | undefined,
): Promise<ResponseBody> {
  if (job.instanceType === 'Network' && job.instanceId !== null) {
    const network = await findNetwork(db, job.instanceId);
    return network ? { network: networkResponse(network, caller) } : { success: true };
  }
  if (job.instanceType === 'StoragePool' && job.instanceId !== null) {
    const storagepool = await shownStoragePool(db, job.instanceId);
    const { virtualmachines } = (job.jobResult ?? {}) as ResponseBody;
    return storagepool ? { storagepool: { ...storagepool, virtualmachines } } : { success: true };
  }
  if (job.instanceType === 'Account' && job.instanceId !== null) {
    const found = await findListedAccount(db, job.instanceId);
    return found ? { account: (await accountResponses(db, caller, [found]))[0] } : { success: true };
  }
  if (job.instanceType === 'User' && job.instanceId !== null) {
    const found = await findUser(db, caller, { id: job.instanceId });
    return found ? { user: userResponse(found.user, found, caller) } : { success: true };
  }
  if (job.instanceType === 'Host' && job.instanceId !== null) {
    const found = await findHost(db, job.instanceId);
    if (!found) return { success: true };
    const { virtualmachines } = (job.jobResult ?? {}) as ResponseBody;
    return { host: { ...hostResponse(found, await readSettingsOf(db, { hostId: job.instanceId })), virtualmachines } };
  }
  if (!vm || job.jobCmd === 'expungeVirtualMachine') return { success: true };
  const shown = virtualMachineResponse(vm, caller);
  // CloudStack's clients know no Expunged: there a machine that was expunged stays Expunging.
  return { virtualmachine: vm.vm.state === 'Expunged' ? { ...shown, state: 'Expunging' } : shown };
}
