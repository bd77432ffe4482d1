import {
  CancellationScope,
  continueAsNew,
  defineSignal,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { zoneKey } from '../shared/search-attributes.js';
import { awaitHost, control, onHost, watchOnHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/** A host worker has started: whatever an earlier process of that host was doing has ended with it. */
export const workerStartedSignal = defineSignal<[{ bootId: string }]>('workerStarted');

const SETTLE_RETRY_MS = 10_000;

export interface HostLifecycleInput {
  hostId: string;
  /** Tests make it small; otherwise Temporal's own suggestion decides. */
  maximumRounds?: number;
}

/**
 * The life of a KVM host, for ever: `hello` waits for it as long as it takes; it pays its debts; it is Up; `watchHost`
 * runs there and returns whenever something changed; its heartbeat timeout means Down. A host worker that starts says
 * so, which ends the round at once instead of after the timeout.
 */
export async function hostLifecycle(input: HostLifecycleInput): Promise<void> {
  const life = { announcedBootId: '', servedBootId: '' };
  let incarnation: CancellationScope | undefined;
  setHandler(workerStartedSignal, ({ bootId }) => {
    life.announcedBootId = bootId;
    if (bootId !== life.servedBootId) incarnation?.cancel();
  });
  for (let round = 0; round < (input.maximumRounds ?? Infinity); round++) {
    if (workflowInfo().continueAsNewSuggested) break;
    incarnation = new CancellationScope();
    try {
      await incarnation.run(() => serve(input.hostId, life));
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      if (incarnation.consideredCancelled) continue;
      // A host that cannot pay its debts is not Up: it is asked again, and the Web UI shows why.
      setCurrentDetails(`Not Up: ${failureOf(error).message}`);
      await sleep(SETTLE_RETRY_MS, { summary: 'before the host is asked again' });
    }
  }
  await continueAsNew<typeof hostLifecycle>(input);
}

/** One incarnation of the host worker, from its hello to its silence. */
async function serve(hostId: string, life: { servedBootId: string }): Promise<void> {
  setCurrentDetails('Waiting for the host worker');
  const status = await hello(hostId);
  const { bootId } = status.facts;
  life.servedBootId = bootId;
  const { debts, livePartials, hostName, zoneId } = await control.recordHello({ hostId, status });
  upsertSearchAttributes([{ key: zoneKey, value: zoneId }]);

  for (const { vmId, token, poolId, volumeId } of debts) {
    setCurrentDetails(`**${hostName}** pays ${debts.length} cleanup debts`);
    await onHost(hostId, `pay the debt for VM ${vmId}`).removeDeployment({ vmId, token, poolId, volumeId });
    await control.releaseClaim({ vmId, token });
  }
  await onHost(hostId, 'sweep orphaned partial files').sweepPartials({ livePartials });
  await control.markHostUp({ hostId, bootId });
  setCurrentDetails(`**${hostName}** is Up`);

  for (let known = status; !workflowInfo().continueAsNewSuggested;) {
    try {
      known = await watchOnHost(hostId, `watch ${hostName}`).watchHost({ known });
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      log.warn('host is Down', { hostId, failure: failureOf(error) });
      await control.markHostDown({ hostId, bootId });
      return;
    }
    await control.recordHostStatus({ hostId, status: known });
  }
}

/** Waits in the host's queue for as long as the host is away; a worker that dies meanwhile is asked again. */
async function hello(hostId: string) {
  for (;;) {
    try {
      return await awaitHost(hostId).hello();
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      const failure = failureOf(error);
      log.warn('hello failed', { hostId, failure });
      setCurrentDetails(`Not Up: ${failure.message}`);
      await sleep(SETTLE_RETRY_MS, { summary: 'before the host is asked again' });
    }
  }
}
