import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { VirtualMachineJobInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { changeDisc, insertAgain } from './change-disc.js';
import { endWithJob } from './end-with-job.js';
import { toWorkflowFailure } from './failure-of.js';

/**
 * Takes the ISO out of the CD-ROM drive of a VM. Failed or cancelled, it is in the drive as before: its copy stays on the
 * pool for as long as a guest may read it.
 */
export const detachIso = (input: VirtualMachineJobInput): Promise<void> =>
  endWithJob(input, 'ISO.DETACH', async () => {
    const drive = await CancellationScope.nonCancellable(() => control('where does it run?').readDrive(input));
    if (!drive) return;
    if (drive.isoId === null) {
      throw toWorkflowFailure({
        code: 'SLIPWAY_RESOURCE_STATE',
        message: 'The specified VM has no ISO attached to it.',
      });
    }
    try {
      setCurrentDetails('Ejecting it');
      await changeDisc(drive, null);
    } catch (error) {
      await CancellationScope.nonCancellable(() => insertAgain(input));
      throw error;
    }
    await CancellationScope.nonCancellable(() => control('detached').recordIsoDetached(input));
    setCurrentDetails('Detached');
  });
