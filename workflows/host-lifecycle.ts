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
import type { KeystoreReport } from '../shared/certificates.js';
import { type DomainReport, type HostFacts, type HostStatus, type HostWord, NO_ANSWER } from '../shared/hosts.js';
import { zoneKey } from '../shared/search-attributes.js';
import type { PoolCopies } from '../shared/templates.js';
import type { Debt } from '../shared/virtual-machines.js';
import { awaitHost, control, settleOnHost, watchOnHost } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { equipHost } from './provision-certificates/equip-host.js';
import { payDebt } from './undo-placement.js';

/** A host worker has started: whatever an earlier process of that host was doing has ended with it. */
export const workerStartedSignal = defineSignal<[{ bootId: string }]>('workerStarted');

/** The host was removed from the installation: there is nothing to watch any more. */
export const hostRemovedSignal = defineSignal('hostRemoved');

/** The host was revoked: nothing is asked of it any more, and nothing is told. */
export const hostRevokedSignal = defineSignal('hostRevoked');

/** A host that cannot pay its debts, or whose libvirt is away, is not Up: it is asked again. */
const SETTLE_RETRY_MS = 10_000;

export interface HostLifecycleInput {
  hostId: string;
  /** Tests make it small; otherwise Temporal's own suggestion decides. */
  maximumRounds?: number;
  /** When the run before has sent its last word. */
  lastWordMs?: number;
}

type Hello = HostStatus & { partials?: PoolCopies[] };

interface Life {
  servedBootId: string;
  isRemoved: boolean;
  isRevoked: boolean;
  lastWordMs: number;
}

/**
 * The host, and when this is sent: what a try of an activity that timed out records after its successors is known by it.
 */
function wordOf({ hostId }: HostLifecycleInput, life: Life): Required<HostWord> {
  life.lastWordMs = Math.max(Date.now(), life.lastWordMs + 1);
  return { hostId, sentMs: life.lastWordMs };
}

/**
 * The life of a KVM host, for ever: `hello` waits for it as long as it takes; it pays its debts; it is Up; `watchHost`
 * runs there and returns whenever something changed; its heartbeat timeout means Down. A host that answers and cannot
 * serve is Alert. A host worker that starts says so, which ends the round at once instead of after the timeout. It ends
 * when the host is removed or revoked.
 */
export async function hostLifecycle(input: HostLifecycleInput): Promise<void> {
  const life: Life = { servedBootId: '', isRemoved: false, isRevoked: false, lastWordMs: input.lastWordMs ?? 0 };
  let incarnation: CancellationScope | undefined;
  setHandler(workerStartedSignal, ({ bootId }) => {
    if (bootId !== life.servedBootId) incarnation?.cancel();
  });
  setHandler(hostRemovedSignal, () => {
    life.isRemoved = true;
    incarnation?.cancel();
  });
  setHandler(hostRevokedSignal, () => {
    life.isRevoked = true;
    incarnation?.cancel();
  });
  for (let round = 0; round < (input.maximumRounds ?? Infinity); round++) {
    if (life.isRemoved) return dismiss(input.hostId);
    if (life.isRevoked) return setCurrentDetails('The host was revoked');
    if (workflowInfo().continueAsNewSuggested) break;
    incarnation = new CancellationScope();
    try {
      await incarnation.run(() => serve(input, life));
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      if (incarnation.consideredCancelled) continue;
      const failure = failureOf(error);
      if (failure.code === 'SLIPWAY_HOST_REMOVED') return dismiss(input.hostId);
      if (failure.code === 'SLIPWAY_HOST_REVOKED') return setCurrentDetails(failure.message);
      // Silence needs no pause: the next hello waits in the host's queue.
      if (failure.code === 'SLIPWAY_HOST_UNREACHABLE') {
        log.warn('host is Down', { hostId: input.hostId, failure });
        setCurrentDetails(`Down: ${failure.message}`);
        await control('Down').markHostDown(wordOf(input, life));
        continue;
      }
      log.warn('host is Alert', { hostId: input.hostId, failure });
      setCurrentDetails(`Alert: ${failure.message}`);
      await control('Alert').markHostAlert({ ...wordOf(input, life), reason: failure.message });
      // A new process of the host ends the pause.
      await incarnation
        .run(() => sleep(SETTLE_RETRY_MS, { summary: 'before the host is asked again' }))
        .catch(() => undefined);
    }
  }
  await continueAsNew<typeof hostLifecycle>({ ...input, lastWordMs: life.lastWordMs });
}

/** Says in the log of the host worker, if there still is one, why it gets no work. */
async function dismiss(hostId: string): Promise<void> {
  setCurrentDetails('The host was removed');
  await settleOnHost(hostId, 'the host was removed')
    .dismissHost()
    .catch(() => undefined);
}

/** One incarnation of the host worker, from its hello to its silence. It ends with an error, or for a new history. */
async function serve(input: HostLifecycleInput, life: Life): Promise<void> {
  const { hostId } = input;
  setCurrentDetails('Waiting for the host worker');
  // A host worker of an older version names none.
  const { partials = [], ...status } = understoodHello(await awaitHost(hostId).hello());
  const { bootId } = status.facts;
  life.servedBootId = bootId;
  const { debts, deadPartials, hostName, zoneId } = await control('record facts; what does the host owe?').recordHello({
    ...wordOf(input, life),
    status,
    partials,
  });
  upsertSearchAttributes([{ key: zoneKey, value: zoneId }]);

  const certain = debts.filter(({ isDoubtful }) => !isDoubtful);
  if (certain.length > 0) setCurrentDetails(`**${hostName}** pays ${certain.length} cleanup debts`);
  for (const debt of certain) await payDebt(debt, settleOnHost);
  await settleOnHost(hostId, 'sweep orphaned partial files').sweepPartials({ deadPartials });
  let known = await trust(hostId, zoneId, withoutDoubtful(status, debts), undefined);
  // Also what it has come to owe meanwhile, and once what it is to trust since: a host that cannot keep that serves without.
  for (let waitsForCertificates = known.facts.keystore !== undefined; ;) {
    const first = await control('Up').markHostUp({ ...wordOf(input, life), bootId, waitsForCertificates });
    // A control worker of an older version says nothing.
    if (!first?.length) break;
    if (first === 'certificates') {
      waitsForCertificates = false;
      known = await trust(hostId, zoneId, known, undefined);
    } else {
      for (const debt of first) await payDebt(debt, settleOnHost);
    }
  }
  setCurrentDetails(`**${hostName}** is Up`);

  let doubtful = debts.filter(({ isDoubtful }) => isDoubtful);
  while (!workflowInfo().continueAsNewSuggested) {
    const before = known.facts.keystore;
    const isToTellAgain = doubtful.length > 0;
    known = await watchOnHost(hostId, `watch ${hostName}`).watchHost({ known, isToTellAgain });
    // An undo may also fail on a host that stays Up, or just before it is back.
    const owed = await control('record what has changed').recordHostStatus({
      ...wordOf(input, life),
      status: known,
      keystoreBefore: before,
      doubtful: doubtful.map(({ vmId, token }) => ({ vmId, token })),
    });
    doubtful = owed.filter(({ isDoubtful }) => isDoubtful);
    for (const debt of owed) if (!debt.isDoubtful) await payDebt(debt, settleOnHost);
    known = await trust(hostId, zoneId, withoutDoubtful(known, owed), before);
  }
}

/** Whatever else of it is nonsense `recordHello` says. */
function understoodHello(said: Hello): Hello {
  const { facts } = (said as Hello | null) ?? {};
  if (typeof facts === 'object' && (facts as HostFacts | null) !== null) return said;
  throw toWorkflowFailure({ code: 'SLIPWAY_HOST_TOO_OLD', message: NO_ANSWER });
}

/** What a host has said, without what it is to say once more. */
function withoutDoubtful(status: HostStatus, debts: Debt[]): HostStatus {
  const doubtful = debts.filter(({ isDoubtful }) => isDoubtful);
  const isDoubtful = (domain: DomainReport): boolean => doubtful.some(({ vmId }) => vmId === domain.vmId);
  return { ...status, domains: status.domains.filter((domain) => !isDoubtful(domain)) };
}

/**
 * Makes the certificates of the host what they should be, when they are not what they were. A host that cannot keep them
 * serves without: the status of each certificate says so, and the sync tries again.
 *
 * @returns the status with what the host has now
 */
async function trust(
  hostId: string,
  zoneId: string,
  status: HostStatus,
  before: KeystoreReport | undefined,
): Promise<HostStatus> {
  const { keystore } = status.facts;
  // A host worker of an older version says nothing of certificates.
  if (!keystore) return status;
  // The digest alone does not tell of certificates that came and were deleted between two looks.
  if (before && keystore.digest === before.digest && keystore.generation === before.generation) return status;
  const equipped = await equipHost(zoneId, hostId);
  return equipped ? { ...status, facts: { ...status.facts, keystore: equipped } } : status;
}
