import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { failoverOf } from '../shared/errors.js';
import { describeHostFailures, type Failure, type HostFailure } from '../shared/failures.js';
import { isDiskFormat } from '../shared/images.js';
import { hostKey, templateKey, zoneKey } from '../shared/search-attributes.js';
import type { StageUse } from '../shared/templates.js';
import type { Deployment, DeployVirtualMachineInput } from '../shared/virtual-machines.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { control, onHost } from './activity-proxies.js';
import { awaitStage, stageEndedSignal } from './deploy-virtual-machine/await-stage.js';
import { diskPatienceMs, rootDiskOf } from './deploy-virtual-machine/root-disk-of.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { LOOK_AGAIN_MS, noHostLeft } from './no-host-left.js';
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
  const progress = { step: 'choosing a host' as Step, failures: [] as HostFailure[], wakeUps: 0 };
  setHandler(stageEndedSignal, () => void progress.wakeUps++);
  let failure: Failure | undefined;
  let isCancelled = false;
  try {
    failure = await withDeadline(input.deadlineMs, 'deadline of the deployment', () => tryHosts(input, progress));
  } catch (error) {
    isCancelled = CancellationScope.current().consideredCancelled;
    failure =
      isCancellation(error) && !isCancelled
        ? {
            code: 'SLIPWAY_DEADLINE',
            message: `The deployment took longer than ${input.deadlineMs / 1000} s and was ended while ${progress.step}`,
          }
        : failureOf(error);
  }
  if (!failure) return;
  const { message } = failure;
  setCurrentDetails(`**${isCancelled ? 'Cancelled' : 'Failed'}**\n\n${message}`);
  await CancellationScope.nonCancellable(() =>
    control('Error').recordDeploymentFailed({ vmId: input.vmId, jobId: input.jobId, failure, isCancelled }),
  );
  throw isCancelled ? new CancelledFailure(message) : toWorkflowFailure(failure);
}

interface Progress {
  step: Step;
  failures: HostFailure[];
  wakeUps: number;
}

/** @returns why it failed, or nothing when the VM runs */
async function tryHosts(
  { vmId, jobId, within }: DeployVirtualMachineInput,
  progress: Progress,
): Promise<Failure | undefined> {
  const { failures } = progress;
  for (;;) {
    progress.step = 'choosing a host';
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The deployment was cancelled');
    // Not cancellable, here and where Running is recorded: what the database has done must be known to be undone.
    const claim = await CancellationScope.nonCancellable(() =>
      control('choose a host and claim its capacity').claimHost({
        vmId,
        jobId,
        within,
        excludedHostIds: failures.map(({ hostId }) => hostId),
      }),
    );
    if (claim.outcome === 'obsolete') return undefined;
    if (claim.outcome === 'no host') {
      if (claim.returnsWithinMs === 0)
        return noHostLeft('No host of the zone can take the virtual machine', failures, claim.refused);
      setCurrentDetails('Waiting for a host that is only just away, or for space on a pool');
      await sleep(Math.min(claim.returnsWithinMs, LOOK_AGAIN_MS), { summary: 'a host may come back, or space' });
      continue;
    }
    const { deployment, installPath } = claim;
    upsertSearchAttributes([
      { key: zoneKey, value: deployment.zoneId },
      { key: templateKey, value: deployment.templateId },
      { key: hostKey, value: deployment.hostId },
    ]);
    try {
      await deployOnHost(deployment, { jobId, readyPath: installPath }, progress);
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      setCurrentDetails(`${deployment.hostName}: ${failure.message}\n\nundoing there`);
      await CancellationScope.nonCancellable(() => undo(deployment, { jobId, reason: failure.message }));
      if (isCancellation(error)) throw error;
      failures.push({ hostId: deployment.hostId, hostName: deployment.hostName, ...failure });
      if (failoverOf(failure.code) === 'giveUp') {
        return { code: failure.code, message: describeHostFailures(failures) };
      }
    }
  }
}

async function undo(deployment: Deployment, { jobId, reason }: { jobId: string; reason: string }): Promise<void> {
  const { vmId, token, hostName } = deployment;
  const isToUndo = await control(`what there is on ${hostName} is this deployment's?`).isToUndo({ vmId, jobId, token });
  if (isToUndo) await undoPlacement(deployment, reason);
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
  const installPath = readyPath ?? (await awaitStage({ ...deployment, workflowId: vmWorkflowId(vmId), use }, progress));
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
    control('Running').recordRunning({ vmId, jobId, placement: placementOf(deployment), volume }),
  );
  setCurrentDetails(`Running on **${hostName}**`);
}

const placementOf = ({ vmId, hostId, hostName, poolId, volumeId, token }: Deployment) => ({
  vmId,
  hostId,
  hostName,
  poolId,
  volumeId,
  token,
});
