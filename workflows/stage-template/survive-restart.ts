import { CancellationScope, condition } from '@temporalio/workflow';
import { isSilence, toWorkflowFailure } from '../failure-of.js';

/** The host that works for a stage, as `hostChanged` signals keep it. */
export interface WatchedHost {
  hostId: string;
  /** Start of the host worker's process; another one means that the work of the former is dead. */
  bootId: string | null;
  status: 'Up' | 'Down';
  /** Of the signal that said so last: see `HostWord`. */
  sentMs?: number | undefined;
}

/** A host worker that restarts this often during one download is not going to finish it. */
const MAXIMUM_RESTARTS = 100;
/** Silence without a restart: once more on the same host, resuming. */
const MAXIMUM_SILENCES = 1;

/**
 * Runs long work on a host so that it survives the host worker. A restart is noticed by the signal, in a second, and
 * the work begins again at once and resumes from what is on disk; silence is noticed by the heartbeat timeout. A host
 * that is not back within the grace is given up; one that is Down for less (Temporal itself may have been away) is not.
 */
export async function surviveRestart<T>(work: () => Promise<T>, host: WatchedHost, graceMs: number): Promise<T> {
  let silences = 0;
  for (let restarts = 0; restarts <= MAXIMUM_RESTARTS; restarts++) {
    const { bootId } = host;
    const hasRestarted = () => host.bootId !== bootId;
    const scope = new CancellationScope();
    const run = { isSettled: false };
    const pending = scope.run(work);
    pending.then(
      () => (run.isSettled = true),
      () => (run.isSettled = true),
    );
    for (;;) {
      await condition(() => run.isSettled || hasRestarted() || host.status === 'Down');
      if (run.isSettled || hasRestarted()) break;
      const hasChanged = await condition(() => run.isSettled || hasRestarted() || host.status === 'Up', graceMs);
      if (hasChanged) continue;
      scope.cancel();
      throw unreachable(`The host worker has been away for more than ${graceMs / 1000} s`);
    }
    if (run.isSettled) {
      try {
        return await pending;
      } catch (error) {
        if (!isSilence(error)) throw error;
        if (!hasRestarted() && ++silences > MAXIMUM_SILENCES) throw error;
        const isBack = await condition(() => hasRestarted() || host.status === 'Up', graceMs);
        if (!isBack) throw unreachable(`The host worker fell silent and was not back within ${graceMs / 1000} s`);
      }
    } else {
      scope.cancel();
    }
    if (hasRestarted()) silences = 0;
  }
  throw unreachable(`The host worker restarted more than ${MAXIMUM_RESTARTS} times during one download`);
}

const unreachable = (message: string) => toWorkflowFailure({ code: 'SLIPWAY_HOST_UNREACHABLE', message });
