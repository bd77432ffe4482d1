import type { ControlActivities } from '../../activities/control/index.js';
import { isSlipwayError } from '../../shared/errors.js';
import type { Placement } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import type { Random } from '../soak/random.js';

/** A workflow, to be gone on with step by step; to go on no more is to have it terminated. */
export type Script = AsyncGenerator<void, void>;

export type SimulatedOperations = ReturnType<typeof simulateOperations>;

type Answer = 'done' | 'refused' | 'silent';
/** A host has failed. */
class FailedError extends Error {}

const DISK_BYTES = 2000;

/** PostgreSQL's SQLSTATE; the query was undone. */
const isDeadlock = (error: unknown): boolean =>
  error instanceof Error && (error.cause as { code?: string } | undefined)?.code === '40P01';

const OPERATIONS = {
  startVirtualMachine: 'START',
  stopVirtualMachine: 'STOP',
  restoreVirtualMachine: 'RESTORE',
} as const;

/**
 * What the workflows of VMs ask of the control worker, without Temporal and hosts: whether a host does, refuses or says
 * nothing is left to chance.
 */
export function simulateOperations(activities: ControlActivities, random: Random) {
  const chance = (share: number): boolean => random.next() < share;
  const answer = (): Answer => (chance(0.7) ? 'done' : chance(0.5) ? 'refused' : 'silent');

  /** As Temporal has an activity done: and again, when its answer is lost or the database has ended a deadlock. */
  async function does<Name extends keyof ControlActivities>(
    name: Name,
    input: Parameters<ControlActivities[Name]>[0],
  ): Promise<Awaited<ReturnType<ControlActivities[Name]>>> {
    const activity = activities[name] as (input: unknown) => Promise<Awaited<ReturnType<ControlActivities[Name]>>>;
    for (;;) {
      try {
        if (chance(0.2)) await activity(input);
        return await activity(input);
      } catch (error) {
        if (!isDeadlock(error)) throw error;
      }
    }
  }

  async function* undo(placement: Placement, keepsDisk: boolean, isPaid = chance(0.6)): Script {
    yield;
    if (isPaid) await does('releaseClaim', { ...placement, keepsDisk });
    else await does('oweCleanup', { debt: { ...placement, keepsDisk }, reason: 'silent' });
  }

  async function* deploy(vmId: string, jobId: string): Script {
    const excludedHostIds: string[] = [];
    for (;;) {
      const claim = await does('claimHost', { vmId, jobId, excludedHostIds });
      yield;
      if (claim.outcome !== 'claimed') break;
      const { deployment: placement } = claim;
      if (answer() === 'done') {
        const volume = { fileName: `${placement.volumeId}.${placement.token}`, virtualSizeBytes: DISK_BYTES };
        return await does('recordRunning', { vmId, jobId, placement, volume });
      }
      yield* undo(placement, false);
      excludedHostIds.push(placement.hostId);
    }
    const failure = { code: 'SLIPWAY_NO_HOST', message: 'none' } as const;
    await does('recordDeploymentFailed', { vmId, jobId, failure, isCancelled: false });
  }

  async function* start(vmId: string, jobId: string, isStep = false): Script {
    const excludedHostIds: string[] = [];
    for (;;) {
      const claim = await does('claimStart', { vmId, jobId, excludedHostIds });
      yield;
      if (claim.outcome === 'obsolete') return;
      if (claim.outcome === 'no host') throw new FailedError();
      if (answer() === 'done') return await does('recordStarted', { vmId, jobId, isStep, placement: claim.order });
      yield* undo(claim.order, true);
      excludedHostIds.push(claim.order.hostId);
    }
  }

  async function* stop(vmId: string, jobId: string, isStep = false): Script {
    const isForced = !isStep && chance(0.5);
    const placement = await does('beginStop', { vmId, jobId, isForced, isStep });
    yield;
    if (!placement) return;
    const answered = answer();
    if (answered !== 'done' && !isForced) throw new FailedError();
    const isOwed = answered !== 'done';
    if (isOwed) yield* undo(placement, true, false);
    await does('recordStopped', { vmId, jobId, isStep, placement, isOwed });
  }

  async function* restore(vmId: string, jobId: string, isToRun: boolean): Script {
    try {
      const begun = await does('beginRestore', { vmId, jobId, isToRun });
      if (begun.outcome !== 'begun') return;
      const { stage, volumeId } = begun.plan;
      yield;
      const use = { type: 'rootDisk', volumeId, token: 0 } as const;
      await does('joinStage', { ...stage, workflowId: vmWorkflowId(vmId), use });
      yield;
      if (isToRun) yield* stop(vmId, jobId, true);
      const made = await does('claimDiskMaker', { vmId, jobId, excludedHostIds: [] });
      yield;
      if (made.outcome !== 'claimed' || answer() !== 'done') throw new FailedError();
      const { token } = made.placement;
      const volume = { fileName: `${volumeId}.${token}`, virtualSizeBytes: DISK_BYTES };
      await does('recordNewDisk', { vmId, jobId, token, volume });
      yield;
      if (isToRun) yield* start(vmId, jobId, true);
      await does('recordRestored', { vmId, jobId });
    } catch (error) {
      if (!(error instanceof FailedError || isSlipwayError(error))) throw error;
      yield* undoRestore(vmId, jobId, isToRun);
      throw new FailedError();
    }
  }

  async function* undoRestore(vmId: string, jobId: string, isToRun: boolean): Script {
    const left = await does('beginUndoRestore', { vmId, jobId });
    yield;
    if (!left) return;
    const { between } = left;
    let runsOn: string | null = null;
    if (between?.placement) {
      if (between.state === 'Starting') yield* undo(between.placement, true);
      else if (chance(0.5)) runsOn = between.placement.hostId;
      else await does('releaseClaim', { ...between.placement, keepsDisk: true });
    }
    const { isStopped } = await does('revertRestore', { vmId, jobId, runsOn });
    yield;
    if (isToRun && isStopped) yield* start(vmId, jobId, true);
  }

  async function* destroy(vmId: string, jobId: string, expunge: boolean): Script {
    const begun = await does('beginDestroy', { vmId, jobId, expunge });
    yield;
    for (const placement of begun?.placements ?? []) yield* undo(placement, !expunge);
    await does('recordDestroyed', { vmId, jobId, expunge });
  }

  async function* repair(vmId: string, jobId: string, input: Record<string, unknown>): Script {
    const begun = await does('beginRepair', { vmId, jobId });
    yield;
    const failure = { code: 'SLIPWAY_WORKFLOW_LOST', message: 'lost' } as const;
    if (!begun?.operation) {
      for (const placement of begun?.placements ?? []) yield* undo(placement, false);
      return await does('recordDeploymentFailed', { vmId, jobId, failure, isCancelled: false });
    }
    const { operation } = begun;
    let runsOn: string | null = null;
    if ('input' in begun) {
      yield* attempt(undoRestore(vmId, jobId, input['isToRun'] === true));
    } else if (begun.placement) {
      if (chance(0.5)) runsOn = begun.placement.hostId;
      else yield* undo(begun.placement, true);
    }
    const truth = 'input' in begun ? undefined : { runsOn };
    await does('recordOperationFailed', { vmId, jobId, operation, failure, isCancelled: false, truth });
  }

  async function* attempt(script: Script): Script {
    try {
      yield* script;
    } catch (error) {
      if (!(error instanceof FailedError || isSlipwayError(error))) throw error;
    }
  }

  /** As `endWithJob`. */
  async function* operate(type: keyof typeof OPERATIONS, vmId: string, jobId: string, isToRun: boolean): Script {
    try {
      if (type === 'startVirtualMachine') yield* start(vmId, jobId);
      if (type === 'stopVirtualMachine') yield* stop(vmId, jobId);
      if (type === 'restoreVirtualMachine') yield* restore(vmId, jobId, isToRun);
    } catch (error) {
      if (!(error instanceof FailedError || isSlipwayError(error))) throw error;
      const failure = { code: 'SLIPWAY_INTERNAL', message: 'failed' } as const;
      await does('recordOperationFailed', { vmId, jobId, operation: OPERATIONS[type], failure, isCancelled: false });
    }
  }

  return { does, deploy, operate, destroy, repair };
}
