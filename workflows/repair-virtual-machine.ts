import { setCurrentDetails } from '@temporalio/workflow';
import type { VirtualMachineJobInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { undoPlacement } from './undo-placement.js';

/**
 * Ends a deployment whose workflow was terminated, or is gone: no undo ran there. What its tries left on hosts is
 * removed, the VM is in Error and the job has failed.
 */
export async function repairVirtualMachine(input: VirtualMachineJobInput): Promise<void> {
  const begun = await control('what was left?').beginRepair(input);
  for (const placement of begun?.placements ?? []) {
    setCurrentDetails(`Removing what was left on **${placement.hostName}**`);
    const { templateId, generation } = begun!;
    await control('leave the download').leaveStage({
      vmId: input.vmId,
      poolId: placement.poolId,
      templateId,
      generation,
    });
    await undoPlacement(placement, 'the workflow of the deployment is gone');
  }
  await control('Error').recordDeploymentFailed({
    ...input,
    failure: {
      code: 'SLIPWAY_WORKFLOW_LOST',
      message: 'The workflow of the deployment was terminated or is gone; what it left was cleaned up',
    },
    isCancelled: false,
  });
}
