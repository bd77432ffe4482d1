import { performance } from 'node:perf_hooks';
import { cancellationSignal, log } from '@temporalio/activity';
import type { HostStatus } from '../../shared/hosts.js';
import type { PoolCopies } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';
import { hasChanged, hasOnlyStarted, readHostStatus } from './host-status.js';

/** libvirt's events tell of domains; whatever has no event is seen within this time. */
const LOOK_EVERY_MS = 10_000;
/** A host where one VM after the other is started would otherwise be recorded after each. */
const STARTS_WAIT_MS = 60_000;
/** Debts of a quiet host, and VMs that ended just before they were recorded, are looked at this often. */
const LONGEST_WATCH_MS = 5 * 60_000;

/** What a host is, and what downloads it finds begun on its pools. */
export const hello =
  (dependencies: HostDependencies) => async (): Promise<HostStatus & { partials?: PoolCopies[] }> => {
    const status = await readHostStatus(dependencies);
    // What is on a pool that cannot be used nobody can say, and nobody can sweep.
    const usable = status.facts.pools.filter(({ problem }) => problem === undefined);
    const partials = usable.map(async ({ poolId }) => ({
      poolId,
      copies: await poolOf(dependencies, poolId).listPartials(),
    }));
    return { ...status, partials: await Promise.all(partials) };
  };

export interface WatchHostInput {
  known: HostStatus;
  /** What is missing in `known` was doubtful: whether it is there is to be told at once. */
  isToTellAgain?: boolean;
}

/** Watches the host until something differs from what the control plane knows. */
export const watchHost =
  (dependencies: HostDependencies) =>
  async ({ known, isToTellAgain = false }: WatchHostInput): Promise<HostStatus> => {
    const stop = new AbortController();
    const signal = AbortSignal.any([cancellationSignal(), stop.signal]);
    // The clock of the host may be set back by hours.
    const deadlineMs = performance.now() + LONGEST_WATCH_MS;
    let tellAtMs = isToTellAgain ? 0 : undefined;
    let wake = () => undefined as void;
    signal.addEventListener('abort', () => wake());
    // Ends with the signal, and has no failure to tell: it reconnects by itself.
    void dependencies.libvirt.watchDomains({ signal }, () => wake());
    try {
      for (;;) {
        signal.throwIfAborted();
        const changed = new Promise<void>((resolve) => (wake = resolve));
        const now = await readHostStatus(dependencies);
        if (performance.now() > deadlineMs) return now;
        if (hasChanged(known, now)) {
          tellAtMs ??= performance.now() + STARTS_WAIT_MS;
          if (performance.now() >= tellAtMs || !hasOnlyStarted(known, now)) return now;
        } else {
          // One that was started is gone again: a time to tell that has passed would be looked at without a pause.
          tellAtMs = undefined;
        }
        const waitMs = tellAtMs === undefined ? LOOK_EVERY_MS : Math.max(0, tellAtMs - performance.now());
        const timer = setTimeout(wake, waitMs);
        await changed;
        clearTimeout(timer);
      }
    } finally {
      stop.abort();
    }
  };

/** Tells whoever reads the log of a host that was removed why it gets no work. */
export const dismissHost = () => (): Promise<void> => {
  log.error('This host was removed from the installation. Stop its host worker, or join the host again.');
  return Promise.resolve();
};
