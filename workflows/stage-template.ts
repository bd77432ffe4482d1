import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { failoverOf } from '../shared/errors.js';
import { causesOf, describeHostFailures, type Failure, type HostFailure } from '../shared/failures.js';
import type { HostChanged } from '../shared/hosts.js';
import { hostKey, zoneKey } from '../shared/search-attributes.js';
import type { StageTemplateInput } from '../shared/templates.js';
import { control } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { makeRoom } from './stage-template/make-room.js';
import type { WatchedHost } from './stage-template/survive-restart.js';
import { discardCopy, stageOnHost } from './stage-template/stage-on-host.js';
import type { Demand } from './stage-template/take-turn.js';

/**
 * Hosts of the pool that are tried. A dead mirror is dead for all of a thousand, and each is some lines in this history
 * and in the reason that waiters get; a deployment that goes on at another host begins with that one.
 */
const MAXIMUM_HOSTS = 10;

/** The host that downloads has come back, perhaps as a new process, or has gone. */
export const hostChangedSignal = defineSignal<[HostChanged]>('hostChanged');

/**
 * Somebody waits for a copy: for this one, which may be brought ahead of time only; or for the one after it, as when this
 * one has just failed. A control worker of an older version says nothing but the account.
 */
export const stageWantedSignal = defineSignal<[Partial<StageTemplateInput> & { accountId: string }]>('stageWanted');

/**
 * Brings a template to a pool: one download however many wait for it. Hosts of the pool are tried in turn; the copy
 * counts when it is Ready in the database, and then the waiters are told.
 */
export async function stageTemplate(input: StageTemplateInput): Promise<void> {
  const watched: WatchedHost = { hostId: '', bootId: null, status: 'Up' };
  setHandler(hostChangedSignal, (change) => {
    const isOvertaken = (change.sentMs ?? Infinity) < (watched.sentMs ?? -Infinity);
    if (change.hostId === watched.hostId && !isOvertaken) Object.assign(watched, change);
  });
  const { spoolRefId, accountId, isPrestaged } = input;
  const demand: Demand = { accountId, isPrestaged };
  const following: { input?: StageTemplateInput } = {};
  setHandler(stageWantedSignal, (wanted) => {
    const { accountId: wantedBy, isPrestaged: isAhead = false } = wanted;
    if (wanted.spoolRefId !== undefined && wanted.spoolRefId !== spoolRefId) following.input = { ...input, ...wanted };
    else if (demand.isPrestaged && !isAhead) Object.assign(demand, { accountId: wantedBy, isPrestaged: false });
  });
  try {
    await stageCopy(input, watched, demand);
  } catch (error) {
    if (!following.input) throw error;
  }
  if (following.input) await continueAsNew<typeof stageTemplate>(following.input);
}

async function stageCopy(input: StageTemplateInput, watched: WatchedHost, demand: Demand): Promise<void> {
  const { spoolRefId } = input;
  let failure: Failure | undefined;
  try {
    failure = await tryHosts(input, watched, demand);
  } catch (error) {
    if (isCancellation(error)) {
      const isWanted = await CancellationScope.nonCancellable(() =>
        control('does somebody wait again?').abandonStage({ spoolRefId }),
      );
      if (isWanted) await continueAsNew<typeof stageTemplate>({ ...input, ...demand });
      throw new CancelledFailure('The download was cancelled: nobody waits for it');
    }
    failure = failureOf(error);
  }
  if (!failure) return;
  setCurrentDetails(`**Failed**\n\n${failure.message}`);
  await CancellationScope.nonCancellable(() => control('tell the waiters why').failStage({ spoolRefId, failure }));
  throw toWorkflowFailure(failure);
}

/** @returns why it failed, or nothing when the copy is Ready, or gone */
async function tryHosts(input: StageTemplateInput, watched: WatchedHost, demand: Demand): Promise<Failure | undefined> {
  const { spoolRefId } = input;
  const failures: HostFailure[] = [];
  let isShared = false;
  let hasMadeRoom = false;
  for (;;) {
    const begun = await control('pick a host of the pool').beginStage({
      ...input,
      excludedHostIds: failures.map(({ hostId }) => hostId),
    });
    if (begun.outcome === 'obsolete') return undefined;
    if (begun.outcome === 'no host') return noHostLeft(failures, isShared);
    const { plan } = begun;
    isShared = plan.isShared;
    const { hostId, hostName, bootId, zoneId } = plan;
    Object.assign(watched, { hostId, bootId, status: 'Up', sentMs: undefined } satisfies WatchedHost);
    upsertSearchAttributes([
      { key: hostKey, value: hostId },
      { key: zoneKey, value: zoneId },
    ]);
    try {
      const { copy, installed } = await stageOnHost(plan, spoolRefId, watched, demand);
      try {
        // Not cancellable: a file whose row became Ready without an answer must not be discarded.
        await CancellationScope.nonCancellable(() =>
          control('the copy is Ready: tell the waiters').finishStage({ spoolRefId, copy, installed }),
        );
      } catch (error) {
        await discardCopy(plan, spoolRefId, copy);
        throw error;
      }
      // Of the dead try there may be more than the partial file that was taken over: one whose workflow was reset may
      // have gone on to install.
      if (plan.resumeFrom) await discardCopy(plan, spoolRefId, plan.resumeFrom);
      setCurrentDetails(`**${plan.templateName}** is on pool ${plan.poolName}`);
      return undefined;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const failure = failureOf(error);
      if (failure.code === 'SLIPWAY_POOL_FULL' && !hasMadeRoom) {
        hasMadeRoom = true;
        setCurrentDetails(`**${plan.templateName}** on **${hostName}**: ${failure.message}\n\nmaking room`);
        if (await makeRoom(spoolRefId)) continue;
      }
      failures.push({ hostId, hostName, ...failure });
      // A metalink with a thousand priorities is thousands of events for each host.
      const isEnough = failures.length === MAXIMUM_HOSTS || workflowInfo().continueAsNewSuggested;
      if (isEnough || failoverOf(failure.code) === 'giveUp') return noHostLeft(failures, isShared);
    }
  }
}

/**
 * The reason stands as it is where a pool has one host: whoever waits names that himself. Who waits on another host of a
 * shared pool would blame his own.
 */
function noHostLeft(failures: HostFailure[], isShared: boolean): Failure {
  const last = failures.at(-1);
  if (!last) return { code: 'SLIPWAY_NO_HOST', message: 'No host reaches the pool' };
  const causes = causesOf(isShared ? failures : [last]);
  return { code: last.code, message: isShared ? describeHostFailures(failures) : last.message, causes };
}
