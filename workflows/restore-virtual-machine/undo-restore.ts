import { log } from '@temporalio/workflow';
import type { UnfinishedRestore } from '../../activities/control/virtual-machine/record-restored.js';
import type { RestoreVirtualMachineInput } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { control } from '../activity-proxies.js';
import { askHost } from '../ask-host.js';
import { failureOf } from '../failure-of.js';
import { startOnSomeHost } from '../start-on-some-host.js';
import { undoStart } from '../undo-placement.js';

/**
 * Gives a VM back the disk that it had before a restore, and has it run again if it ran. Whatever the restore had done,
 * also in a workflow that is gone. Call it in a non-cancellable scope; the job goes on.
 *
 * @returns why the VM does not run again although it should
 */
export async function undoRestore({
  vmId,
  jobId,
  isToRun,
}: Pick<RestoreVirtualMachineInput, 'vmId' | 'jobId' | 'isToRun'>): Promise<string | undefined> {
  const left = await control('what was left?').beginUndoRestore({ vmId, jobId });
  if (!left) return undefined;
  const { stage, between } = left;
  if (stage) await control('leave the download').leaveStage({ ...stage, workflowId: vmWorkflowId(vmId) });
  const runsOn = between && (await settle(between));
  const { isStopped } = await control('back to the old disk').revertRestore({ vmId, jobId, runsOn });
  if (!isToRun || !isStopped) return undefined;
  try {
    await startOnSomeHost({ vmId, jobId, isStep: true });
    return undefined;
  } catch (error) {
    const { message } = failureOf(error);
    log.warn('the VM cannot be started from its old disk', { vmId, message });
    return `The virtual machine has its old disk and is Stopped, because it could not be started again: ${message}`;
  }
}

/** @returns the host that a VM runs on which was to be stopped */
async function settle({ state, placement }: NonNullable<UnfinishedRestore['between']>): Promise<string | null> {
  if (!placement) return null;
  if (state === 'Starting') {
    await undoStart(placement, 'the restore did not succeed');
    return null;
  }
  // Nobody knows: the host's first report will tell of a VM that was to be stopped.
  if ((await askHost(placement)) ?? true) return placement.hostId;
  await control('give the capacity back').releaseClaim({ ...placement, keepsDisk: true });
  return null;
}
