import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { HostFailure } from '../shared/failures.js';
import { isDiskFormat } from '../shared/images.js';
import type { StageUse } from '../shared/templates.js';
import { type Deployment, type DeployVirtualMachineInput, placementOf } from '../shared/virtual-machines.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { control, onHost } from './activity-proxies.js';
import { awaitStage, listenForStages, type StageListener } from './await-stage.js';
import { failJob } from './fail-job.js';
import { toWorkflowFailure } from './failure-of.js';
import { diskPatienceMs, rootDiskOf } from './root-disk-of.js';
import { tryHosts } from './try-hosts.js';
import { undoPlacement } from './undo-placement.js';
import { withDeadline } from './with-deadline.js';

/** What the job text names when the deadline of the whole deployment ends it. */
type Step = 'choosing a host' | 'staging the template' | 'creating the root disk' | 'starting the domain' | 'recording';

/**
 * Deploys a VM: ranks the hosts of the zone that fit and tries them until one works. On each: claim capacity, stage the
 * template on the pool, create the root disk, start the domain, record Running. What fails is undone on that host,
 * which is then excluded for the rest of this deployment.
 */
export async function deployVirtualMachine(input: DeployVirtualMachineInput): Promise<void> {
  const { vmId, jobId, deadlineMs } = input;
  const progress: Progress = { step: 'choosing a host', failures: [], stages: listenForStages() };
  try {
    await withDeadline(deadlineMs, 'deadline of the deployment', () => deployOnSomeHost(input, progress));
  } catch (error) {
    const isLate = isCancellation(error) && !CancellationScope.current().consideredCancelled;
    const message = `The deployment took longer than ${deadlineMs / 1000} s and was ended while ${progress.step}`;
    await failJob(isLate ? toWorkflowFailure({ code: 'SLIPWAY_DEADLINE', message }) : error, (end) =>
      control('Error').recordDeploymentFailed({ vmId, jobId, ...end }),
    );
  }
}

interface Progress {
  step: Step;
  failures: HostFailure[];
  stages: StageListener;
}

async function deployOnSomeHost({ vmId, jobId, within }: DeployVirtualMachineInput, progress: Progress): Promise<void> {
  await tryHosts(
    {
      untried: 'No host of the zone can take the virtual machine',
      claim(excludedHostIds) {
        progress.step = 'choosing a host';
        return control('choose a host and claim its capacity').claimHost({ vmId, jobId, within, excludedHostIds });
      },
      hostOf: ({ deployment }) => deployment,
      work: ({ deployment, installPath }) => deployOnHost(deployment, { jobId, readyPath: installPath }, progress),
      undo: ({ deployment }, reason) => undo(deployment, { jobId, reason }),
    },
    progress.failures,
  );
}

async function undo(deployment: Deployment, { jobId, reason }: { jobId: string; reason: string }): Promise<void> {
  const { vmId, token, hostName } = deployment;
  const isToUndo = await control(`what there is on ${hostName} is this deployment's?`).isToUndo({ vmId, jobId, token });
  if (isToUndo) await undoPlacement(placementOf(deployment), reason);
}

async function deployOnHost(
  deployment: Deployment,
  { jobId, readyPath }: { jobId: string; readyPath: string | null },
  progress: Progress,
): Promise<void> {
  const { vmId, token, hostId, hostName, poolId, volumeId, format, rootDisk, domain } = deployment;
  const isIso = !isDiskFormat(format);
  const tell = (step: Step): void => {
    progress.step = step;
    const tried = progress.failures.map((failure) => `- ${failure.hostName}: ${failure.message}`).join('\n');
    setCurrentDetails(`On **${hostName}**: ${step}${tried === '' ? '' : `\n\nTried before:\n${tried}`}`);
  };

  tell('staging the template');
  const use: StageUse = isIso ? { type: 'iso', vmId } : { type: 'rootDisk', volumeId, token };
  const installPath =
    readyPath ?? (await awaitStage({ ...deployment, workflowId: vmWorkflowId(vmId), use }, progress.stages));
  tell('creating the root disk');
  const volume = await onHost(hostId, `root disk on ${hostName}`, diskPatienceMs(rootDisk)).createRootVolume({
    vmId,
    token,
    poolId,
    volumeId,
    disk: rootDiskOf(rootDisk, { installPath, format }),
  });
  tell('starting the domain');
  await onHost(hostId, `start ${domain.instanceName} on ${hostName}`).startDomain({
    token,
    spec: { ...domain, rootVolume: volume.fileName, iso: isIso ? installPath : domain.iso },
  });
  progress.step = 'recording';
  await CancellationScope.nonCancellable(() =>
    control('Running').recordRunning({
      vmId,
      jobId,
      placement: placementOf(deployment),
      volume,
      failures: progress.failures,
    }),
  );
  setCurrentDetails(`Running on **${hostName}**`);
}
