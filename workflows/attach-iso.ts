import { CancellationScope, CancelledFailure, setCurrentDetails } from '@temporalio/workflow';
import type { AttachIsoInput } from '../shared/virtual-machines.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { control } from './activity-proxies.js';
import { awaitStage, listenForStages } from './await-stage.js';
import { changeDisc, ejectAgain } from './change-disc.js';
import { endWithJob } from './end-with-job.js';

/**
 * Puts an ISO into the CD-ROM drive of a VM: it is brought to the pool of the root disk, and then inserted, if the VM
 * runs. Failed or cancelled on the way, the drive is empty; unless its host does not answer to that: then the ISO stays
 * attached, so that nobody removes it under a guest that may read it.
 */
export function attachIso(input: AttachIsoInput): Promise<void> {
  const { vmId, jobId, isoId } = input;
  const stages = listenForStages();
  return endWithJob(input, 'ISO.ATTACH', async () => {
    const stage = await CancellationScope.nonCancellable(() => control('where is its pool?').beginAttachIso(input));
    if (!stage) return;
    try {
      setCurrentDetails('Bringing the ISO to the pool');
      await awaitStage({ ...stage, workflowId: vmWorkflowId(vmId), use: { type: 'iso', vmId } }, stages);
      const drive = await CancellationScope.nonCancellable(() => control('where does it run?').readDrive(input));
      if (!drive) return;
      setCurrentDetails('Inserting it');
      await changeDisc(drive, drive.file);
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('It was cancelled');
    } catch (error) {
      await CancellationScope.nonCancellable(() => ejectAgain({ vmId, jobId, isoId }));
      throw error;
    }
    await CancellationScope.nonCancellable(() => control('attached').recordIsoAttached({ vmId, jobId }));
    setCurrentDetails('Attached');
  });
}
