import type { Lane } from './lane.js';
import type { Mirror } from './mirror.js';

/** A mirror so many times slower than the fastest, for so long, is left for another. */
const SLOW_FACTOR = 20;
const SLOW_MS = 5_000;

/** The next one to begin: in order, and one that was left for others only when there are no others any more. */
export function nextMirror(mirrors: readonly Mirror[]): Mirror | undefined {
  const waiting = mirrors.find(({ state }) => state === 'waiting');
  if (waiting || mirrors.some(({ state }) => state !== 'failed')) return waiting;
  return mirrors.find(({ report }) => report.code === 'SLIPWAY_SOURCE_SLOW');
}

/** Those that could fetch a range now: nothing may be left for one that will not begin before it is there. */
export function ableMirrors(mirrors: readonly Mirror[], maxMirrors: number): Set<Mirror> {
  const working = mirrors.filter(({ state }) => state === 'working');
  const waiting = working.length < maxMirrors ? mirrors.filter(({ state }) => state === 'waiting') : [];
  return new Set([...working, ...waiting].filter(({ hasRanges }) => hasRanges));
}

/** Lanes of mirrors that hold the others up. None is left a second time. */
export function slowLanes(lanes: Iterable<Lane>, nowMs: number): Lane[] {
  const busy = [...lanes].filter((lane) => lane.isBusy);
  const fastest = Math.max(...busy.map(({ bytesPerSecond }) => bytesPerSecond));
  return busy.filter(
    (lane) => !lane.source.wasSlow && lane.busyMs(nowMs) >= SLOW_MS && lane.bytesPerSecond * SLOW_FACTOR < fastest,
  );
}
