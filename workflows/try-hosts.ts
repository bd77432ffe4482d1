import { CancellationScope, CancelledFailure, isCancellation, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { NoHost } from '../activities/control/virtual-machine/claim-first.js';
import { failoverOf } from '../shared/errors.js';
import { causesOf, describeHostFailures, type HostFailure } from '../shared/failures.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { noHostLeft } from './no-host-left.js';

/** How often a workflow without a host looks whether one has come back. */
const LOOK_AGAIN_MS = 5_000;

type Obsolete = { outcome: 'obsolete' };

export interface HostTrial<Claimed, Result> {
  /** Chooses a host that was not tried yet and claims what the work needs there. */
  claim: (excludedHostIds: string[]) => Promise<Claimed | NoHost | Obsolete>;
  hostOf: (claimed: Claimed) => { hostId: string; hostName: string };
  work: (claimed: Claimed) => Promise<Result>;
  /** Takes back on the host, and in the database, what a try that has failed did. */
  undo?: (claimed: Claimed, reason: string) => Promise<void>;
  /** What is said when there was no host to try. */
  untried: string;
}

/**
 * Does work on one host after another until it succeeds on one. What fails is undone there, and the host is not tried
 * again. A host that is only just away, or space that is only just being made, is waited for.
 *
 * @param failures gets each host that was tried, with its reason
 * @returns undefined when the job has ended: somebody started this workflow once too often
 * @throws with every host that was tried or refused, when none is left
 */
export async function tryHosts<Claimed extends { outcome: 'claimed' }, Result>(
  { claim, hostOf, work, undo, untried }: HostTrial<Claimed, Result>,
  failures: HostFailure[] = [],
): Promise<Result | undefined> {
  for (;;) {
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The operation was cancelled');
    // Not cancellable: what the database has done must be known to be undone.
    const claimed = await CancellationScope.nonCancellable(() => claim(failures.map(({ hostId }) => hostId)));
    if (claimed.outcome === 'obsolete') return undefined;
    if (claimed.outcome === 'no host') {
      if (claimed.returnsWithinMs === 0) throw toWorkflowFailure(noHostLeft(untried, failures, claimed.refused));
      setCurrentDetails('Waiting for a host that can take it');
      await sleep(Math.min(claimed.returnsWithinMs, LOOK_AGAIN_MS), { summary: 'a host may be able to take it then' });
      continue;
    }
    try {
      return await work(claimed);
    } catch (error) {
      const failure = failureOf(error);
      const { hostId, hostName } = hostOf(claimed);
      if (undo) {
        setCurrentDetails(`${hostName}: ${failure.message}\n\nundoing there`);
        await CancellationScope.nonCancellable(() => undo(claimed, failure.message));
      }
      if (isCancellation(error)) throw error;
      failures.push({ hostId, hostName, ...failure });
      if (failoverOf(failure.code) === 'giveUp') {
        const message = describeHostFailures(failures);
        throw toWorkflowFailure({ code: failure.code, message, causes: causesOf(failures) });
      }
    }
  }
}
