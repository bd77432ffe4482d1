import { setCurrentDetails } from '@temporalio/workflow';
import type { BegunRepair } from '../activities/control/virtual-machine/repair.js';
import type { Failure } from '../shared/failures.js';
import type { VirtualMachineJobInput } from '../shared/virtual-machines.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { control } from './activity-proxies.js';
import { askHost } from './ask-host.js';
import { ejectAgain, insertAgain } from './change-disc.js';
import { undoRestore } from './restore-virtual-machine/undo-restore.js';
import { undoPlacement } from './undo-placement.js';

/**
 * Ends a job whose workflow was terminated, or is gone: no undo ran there. What the tries of a deployment left on hosts
 * is removed, and the VM is in Error; after a first start it is Stopped. A VM that was started, stopped or rebooted is
 * what its host says that it is; one that was restored, or whose drive was changed, is as before.
 */
export async function repairVirtualMachine(input: VirtualMachineJobInput): Promise<void> {
  const begun = await control('what was left?').beginRepair(input);
  if (begun?.operation) {
    return 'input' in begun ? undoChange(input, begun) : settleOperation(input, begun);
  }
  return undoDeployment(input, begun);
}

/** Also of a first start: that leaves the VM Stopped. */
async function undoDeployment(
  { vmId, jobId }: VirtualMachineJobInput,
  begun: Extract<BegunRepair, { placements: unknown }> | null,
): Promise<void> {
  const called = begun?.isStart ? 'start' : 'deployment';
  for (const placement of begun?.placements ?? []) {
    setCurrentDetails(`Removing what was left on **${placement.hostName}**`);
    const { templateId, isoId } = begun!;
    const workflowId = vmWorkflowId(vmId);
    for (const imageId of isoId === undefined ? [templateId] : [templateId, isoId]) {
      await control('leave the download').leaveStage({ workflowId, poolId: placement.poolId, templateId: imageId });
    }
    await undoPlacement(placement, `the workflow of the ${called} is gone`);
  }
  const message = `The workflow of the ${called} was terminated or is gone; what it left was cleaned up`;
  const end = { vmId, jobId, failure: { code: 'SLIPWAY_WORKFLOW_LOST', message }, isCancelled: false } as const;
  if (begun?.isStart) await control('Stopped').recordOperationFailed({ ...end, operation: 'START' });
  else await control('Error').recordDeploymentFailed(end);
}

const LOST: Failure = {
  code: 'SLIPWAY_WORKFLOW_LOST',
  message: 'The workflow of the operation was terminated or is gone; the virtual machine is what its host says',
};

/** A restore or a change of the drive: what it had done is undone as when it fails. */
async function undoChange(
  { vmId, jobId }: VirtualMachineJobInput,
  { operation, input, poolId }: Extract<BegunRepair, { input: unknown }>,
): Promise<void> {
  let trouble: string | undefined;
  if (operation === 'RESTORE') trouble = await undoRestore({ vmId, jobId, isToRun: input['isToRun'] === true });
  else if (operation === 'ISO.ATTACH') {
    const isoId = String(input['isoId']);
    const workflowId = vmWorkflowId(vmId);
    if (poolId) await control('leave the download').leaveStage({ poolId, templateId: isoId, workflowId });
    await ejectAgain({ vmId, jobId, isoId });
  } else await insertAgain({ vmId, jobId });
  await control('undone').recordOperationFailed({
    vmId,
    jobId,
    operation,
    failure: {
      ...LOST,
      message: `The workflow of the operation was terminated or is gone; it was undone${trouble ? `\n${trouble}` : ''}`,
    },
    isCancelled: false,
  });
}

async function settleOperation(
  { vmId, jobId }: VirtualMachineJobInput,
  { operation, placement }: Extract<BegunRepair, { placement: unknown }>,
): Promise<void> {
  let runsOn: string | null = null;
  if (placement) {
    const isAlive = await askHost(placement);
    // Nobody knows: the host's first report will tell of a VM that was to be stopped. A start is taken back there.
    if (isAlive ?? operation !== 'START') runsOn = placement.hostId;
    else if (isAlive === undefined) {
      const debt = { ...placement, keepsDisk: true };
      const reason = 'the workflow of the start is gone';
      await control(`${placement.hostName} owes the stop`).oweCleanup({ debt, reason });
    } else await control('give the capacity back').releaseClaim({ vmId, token: placement.token, keepsDisk: true });
  }
  await control('as its host says').recordOperationFailed({
    vmId,
    jobId,
    operation,
    failure: LOST,
    isCancelled: false,
    truth: { runsOn },
  });
}
