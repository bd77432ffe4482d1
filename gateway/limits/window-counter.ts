/** How often somebody did something in the present window of time. */
export interface WindowCounter {
  /** Counts one more, and tells how many there are now. */
  add(key: string): number;
  of(key: string): number;
  /** Until everybody begins at none again. */
  remainingMs(): number;
}

/** More than that many at once count as one: a network of a million addresses is not to fill the memory. */
const MAX_KEYS = 100_000;
const THE_REST = 'the rest';

/**
 * Windows of a fixed length that are the same for everybody: what is kept is no more than what came within one.
 *
 * @param intervalMs asked at the begin of each window
 */
export function createWindowCounter(intervalMs: () => number, nowMs: () => number = Date.now): WindowCounter {
  let endsMs = 0;
  let counts = new Map<string, number>();
  const present = (): Map<string, number> => {
    const now = nowMs();
    // A clock that was set back must not make a window of years.
    if (now >= endsMs || endsMs - now > intervalMs()) {
      endsMs = now + intervalMs();
      counts = new Map();
    }
    return counts;
  };
  const nameOf = (key: string): string => (counts.has(key) || counts.size < MAX_KEYS ? key : THE_REST);
  return {
    add(key) {
      present();
      const name = nameOf(key);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return count;
    },
    of(key) {
      present();
      return counts.get(nameOf(key)) ?? 0;
    },
    remainingMs: () => {
      present();
      return Math.max(0, endsMs - nowMs());
    },
  };
}
