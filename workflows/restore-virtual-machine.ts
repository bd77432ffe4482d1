import { CancellationScope, CancelledFailure, isCancellation, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { RestorePlan } from '../activities/control/virtual-machine/begin-restore.js';
import type { RestoreVirtualMachineInput } from '../shared/virtual-machines.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { control, onHost } from './activity-proxies.js';
import { awaitStage, listenForStages, type StageListener } from './await-stage.js';
import { endWithJob } from './end-with-job.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { undoRestore } from './restore-virtual-machine/undo-restore.js';
import { diskPatienceMs, rootDiskOf } from './root-disk-of.js';
import { startOnSomeHost } from './start-on-some-host.js';
import { stopWhereItRuns } from './stop-where-it-runs.js';
import { tryHosts } from './try-hosts.js';

/** How often it is looked whether the pool has space by now. */
const SPACE_LOOK_MS = 5_000;

/**
 * Gives a VM a new root disk, of its own template or another. The template is brought to the pool while the VM runs on;
 * then the VM is stopped, the new disk is made beside the old one and takes its place, and the VM is started again if it
 * ran. Failed or cancelled on the way, it has its old disk, and runs again if it ran. The old disk is removed when all of
 * it has succeeded.
 */
export function restoreVirtualMachine(input: RestoreVirtualMachineInput): Promise<void> {
  const stages = listenForStages();
  return endWithJob(input, 'RESTORE', async () => {
    try {
      await restore(input, stages);
    } catch (error) {
      const failure = failureOf(error);
      setCurrentDetails(`${failure.message}\n\ngoing back to the old disk`);
      const trouble = await CancellationScope.nonCancellable(() => undoRestore(input));
      if (trouble === undefined || isCancellation(error)) throw error;
      throw toWorkflowFailure({ ...failure, message: `${failure.message}\n${trouble}` });
    }
  });
}

async function restore(input: RestoreVirtualMachineInput, stages: StageListener): Promise<void> {
  const { vmId, jobId, isToRun } = input;
  const plan = await begin(input);
  if (!plan) return;
  setCurrentDetails('Bringing the template to the pool');
  const installPath = await awaitStage(
    // Until a try makes the disk it has no token.
    { ...plan.stage, workflowId: vmWorkflowId(vmId), use: { type: 'rootDisk', volumeId: plan.volumeId, token: 0 } },
    stages,
  );
  if (isToRun) await stopWhereItRuns({ vmId, jobId, isForced: false, isStep: true });
  const made = await makeDisk(input, plan, installPath);
  await CancellationScope.nonCancellable(() =>
    control('the new disk takes the place of the old').recordNewDisk({ vmId, jobId, ...made }),
  );
  if (isToRun) await startOnSomeHost({ vmId, jobId, isStep: true });
  await CancellationScope.nonCancellable(() => control('restored').recordRestored({ vmId, jobId }));
  setCurrentDetails('Restored');
}

/** @returns undefined when the job has ended */
async function begin(input: RestoreVirtualMachineInput): Promise<RestorePlan | undefined> {
  for (;;) {
    // Not cancellable, here and below: what the database has done must be known to be undone.
    const begun = await CancellationScope.nonCancellable(() => control('space for a new disk').beginRestore(input));
    if (begun.outcome === 'begun') return begun.plan;
    if (begun.outcome === 'obsolete') return undefined;
    setCurrentDetails('Waiting for unused templates to leave the pool');
    await sleep(SPACE_LOOK_MS, { summary: 'there may be space' });
  }
}

interface MadeDisk {
  token: number;
  volume: { fileName: string; virtualSizeBytes: number };
}

/** On a host that reaches the pool; on the next one when that fails. */
async function makeDisk(
  { vmId, jobId }: RestoreVirtualMachineInput,
  { rootDisk, format }: RestorePlan,
  installPath: string,
): Promise<MadeDisk> {
  const made = await tryHosts({
    untried: 'No host can make the new root disk',
    claim: (excludedHostIds) =>
      control('choose a host to make the disk').claimDiskMaker({ vmId, jobId, excludedHostIds }),
    hostOf: ({ placement }) => placement,
    async work({ placement: { hostId, hostName, poolId, volumeId, token } }) {
      setCurrentDetails(`Making the new root disk on **${hostName}**`);
      const disk = rootDiskOf(rootDisk, { installPath, format });
      const host = onHost(hostId, `new root disk on ${hostName}`, diskPatienceMs(rootDisk));
      return { token, volume: await host.createRootVolume({ vmId, token, poolId, volumeId, disk }) };
    },
  });
  if (!made) throw new CancelledFailure('The job has ended');
  return made;
}
