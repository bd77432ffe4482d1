import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { Failure, HostFailure } from '../shared/failures.js';
import { isDiskFormat } from '../shared/images.js';
import { type Deployment, type DeployVirtualMachineInput, placementOf } from '../shared/virtual-machines.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { control, onHost } from './activity-proxies.js';
import { awaitStage, listenForStages, type StageListener } from './await-stage.js';
import { type Deadline, deadlineIn } from './deadline.js';
import { failJob } from './fail-job.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { blankDisk, diskPatienceMs, rootDiskOf } from './root-disk-of.js';
import { tryHosts } from './try-hosts.js';
import { undoPlacement } from './undo-placement.js';

/** What the job text names when the deadline of the whole deployment ends it. */
type Step = 'choosing a host' | 'staging the template' | 'creating the root disk' | 'starting the domain' | 'recording';

/** In the job's text. */
const CALLED = { CREATE: 'deployment', START: 'start' } as const;

interface Order {
  /** `START` of a VM that was there before. */
  operation: keyof typeof CALLED;
  /** Ends the job, and says what the VM is then. Everything on hosts is undone by now, or owed. */
  recordFailed: (end: { failure: Failure; isCancelled: boolean }) => Promise<unknown>;
}

/**
 * Gives a VM that has no disk yet a host: ranks the hosts of the zone that fit and tries them until one works. On each:
 * claim capacity, stage the template on the pool, create the root disk, start the domain, record Running. What fails is
 * undone on that host, which is then excluded. All of it has one deadline.
 */
export async function deployOnSomeHost(input: DeployVirtualMachineInput, order: Order): Promise<void> {
  const progress: Progress = {
    deadline: deadlineIn(input.deadlineMs),
    step: 'choosing a host',
    failures: [],
    stages: listenForStages(),
    operation: order.operation,
  };
  try {
    await tryToDeploy(input, progress);
  } catch (error) {
    await failJob(whyEnded(error, progress), order.recordFailed);
  }
}

interface Progress extends Pick<Order, 'operation'> {
  deadline: Deadline;
  step: Step;
  failures: HostFailure[];
  stages: StageListener;
}

/** What the deadline has ended looks like the silence of a host, which must not be blamed for it. */
function whyEnded(error: unknown, { operation, deadline, step }: Progress): unknown {
  // Also when it is cancelled while it is undone, or when there was time left for nothing any more.
  const isKnown = failureOf(error).code === 'SLIPWAY_DEADLINE';
  if (!isKnown) {
    if (!deadline.hasPassed() || isCancellation(error)) return error;
    if (CancellationScope.current().consideredCancelled) return error;
  }
  const message = `The ${CALLED[operation]} took longer than ${deadline.limitMs / 1000} s and was ended while ${step}`;
  return toWorkflowFailure({ code: 'SLIPWAY_DEADLINE', message });
}

async function tryToDeploy({ vmId, jobId, within }: DeployVirtualMachineInput, progress: Progress): Promise<void> {
  await tryHosts(
    {
      untried: 'No host of the zone can take the virtual machine',
      async claim(excludedHostIds) {
        const { deadline } = progress;
        deadline.leftMs();
        progress.step = 'choosing a host';
        const place = { vmId, jobId, within, excludedHostIds };
        const claimed = await control('choose a host and claim its capacity').claimHost(place);
        if (claimed.outcome !== 'no host' || claimed.returnsWithinMs === 0) return claimed;
        return { ...claimed, returnsWithinMs: Math.min(claimed.returnsWithinMs, deadline.leftMs()) };
      },
      hostOf: ({ deployment }) => deployment,
      async work({ deployment, installPath }) {
        try {
          await deployOnHost(deployment, { jobId, readyPath: installPath }, progress);
        } catch (error) {
          throw whyEnded(error, progress);
        }
      },
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
  const tell = (step: Step): void => {
    progress.step = step;
    const tried = progress.failures.map((failure) => `- ${failure.hostName}: ${failure.message}`).join('\n');
    setCurrentDetails(`On **${hostName}**: ${step}${tried === '' ? '' : `\n\nTried before:\n${tried}`}`);
  };

  tell('staging the template');
  const template = isDiskFormat(format) ? (readyPath ?? (await stageTemplate(deployment, progress))) : null;
  const iso = await stageDisc(deployment, progress);
  tell('creating the root disk');
  const onThisHost = (summary: string, patienceMs = 0) =>
    onHost(hostId, summary, patienceMs, progress.deadline.leftMs());
  const volume = await onThisHost(`root disk on ${hostName}`, diskPatienceMs(rootDisk)).createRootVolume({
    vmId,
    token,
    poolId,
    volumeId,
    disk: template === null ? blankDisk(rootDisk) : rootDiskOf(rootDisk, { installPath: template, format }),
  });
  tell('starting the domain');
  await onThisHost(`start ${domain.instanceName} on ${hostName}`).startDomain({
    token,
    spec: { ...domain, rootVolume: volume.fileName, iso },
  });
  progress.step = 'recording';
  await CancellationScope.nonCancellable(() =>
    control('Running').recordRunning({
      vmId,
      jobId,
      placement: placementOf(deployment),
      volume,
      failures: progress.failures,
      operation: progress.operation,
    }),
  );
  setCurrentDetails(`Running on **${hostName}**`);
}

const stageTemplate = (deployment: Deployment, { stages, deadline }: Progress): Promise<string> => {
  const { vmId, volumeId, token } = deployment;
  const use = { type: 'rootDisk', volumeId, token } as const;
  return awaitStage({ ...deployment, workflowId: vmWorkflowId(vmId), use }, stages, deadline);
};

/** @returns the file of what is in the CD-ROM drive; null for nothing */
async function stageDisc(deployment: Deployment, { stages, deadline }: Progress): Promise<string | null> {
  const { vmId, format } = deployment;
  // A control worker of an older version does not say what is in the drive: what the VM is deployed from, if that is an ISO.
  const disc = deployment.disc === undefined && !isDiskFormat(format) ? deployment : deployment.disc;
  if (!disc) return null;
  const { templateId, templateName, generation } = disc;
  const image = { templateId, templateName, generation };
  const use = { type: 'iso', vmId } as const;
  return awaitStage({ ...deployment, ...image, workflowId: vmWorkflowId(vmId), use }, stages, deadline);
}
