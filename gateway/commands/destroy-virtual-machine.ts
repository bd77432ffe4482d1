import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters, earlierJob, jobOfCall } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';

const JOB_CMD = 'destroyVirtualMachine';

export const destroyVirtualMachine = defineCommand({
  name: 'destroyVirtualMachine',
  description: 'Stops a virtual machine and destroys it; with expunge its disk is deleted and it is gone for good.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the virtual machine.')),
    expunge: withDefault(boolean('Whether to delete it for good; false when absent.', { since: '4.2.1' }), false),
    ...unsupported({ volumeids: { type: 'list', since: '4.12.0' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle({ id, expunge, customjobid }, context) {
    const { db, caller } = context;
    // Before the VM is looked up: the call that expunged it may be repeated when it is gone.
    const earlier = await earlierJob(db, context, { customjobid, jobCmd: JOB_CMD, instanceId: id });
    if (earlier) return { jobid: earlier.id };
    const vm = await findOwnVirtualMachine(db, caller, id);
    if (!vm) throw noSuchEntity(context.command, 'id', id);
    const jobId = customjobid ?? randomUUID();
    const created = await createJob(db, {
      id: jobId,
      accountId: caller.accountId,
      userId: caller.userId,
      jobCmd: JOB_CMD,
      workflowType: 'destroyVirtualMachine',
      workflowId: vmWorkflowId(vm.id),
      workflowInput: { vmId: vm.id, jobId, expunge },
      instanceType: 'VirtualMachine',
      instanceId: vm.id,
    });
    // Two calls with one `customjobid` may have come at once.
    const job = jobOfCall(created, { jobCmd: JOB_CMD, accountId: caller.accountId, instanceId: vm.id });
    // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
    void context.startJob(job);
    return { jobid: job.id };
  },
});
