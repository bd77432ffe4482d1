import type { Database } from '../../db/client.js';
import { type Change, readChanges } from '../../db/reads/read-changes.js';
import { type Entry, loadEntries } from './load-entries.js';

/** More at once are not told one by one: whoever follows lists anew. */
const MOST_CHANGES = 2_000;

export interface Batch {
  /** From here on nothing of the batch, and nothing before it, is told again. */
  position: string;
  /** Missing when there are too many. */
  entries: Entry[] | undefined;
}

/** What changes, for any number of clients: one look a second at the database, while there is somebody to tell. */
export interface ChangeFeed {
  /**
   * @param listener told of everything that is committed after the position
   * @returns where now is
   */
  subscribe(listener: (batch: Batch) => void): Promise<string>;
  unsubscribe(listener: (batch: Batch) => void): void;
  /** What a client has missed since a position. */
  since(position: string): Promise<Batch>;
  stop(): void;
}

export function createChangeFeed(
  db: Database,
  { intervalMs, onError }: { intervalMs: number; onError: (error: unknown) => void },
): ChangeFeed {
  const listeners = new Set<(batch: Batch) => void>();
  let position: string | undefined;
  let told = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let look: Promise<void> | undefined;

  /** A look that is under way is everybody's. */
  const lookOnce = (): Promise<void> => (look ??= take().finally(() => (look = undefined)));

  async function take(): Promise<void> {
    const found = await readChanges(db, position, MOST_CHANGES);
    // Transactions that were under way at the last look are looked at again, and most had been told of.
    const fresh = found.changes?.filter((change) => !told.has(nameOf(change)));
    const entries = fresh && (await loadEntries(db, fresh));
    told = new Set(found.changes?.map(nameOf));
    const isMoved = found.position !== position;
    position = found.position;
    if (entries?.length === 0 && !isMoved) return;
    for (const listener of listeners) listener({ position, entries });
  }

  const schedule = (): void => {
    timer = setTimeout(() => {
      lookOnce()
        .catch(onError)
        .finally(() => {
          if (listeners.size > 0) schedule();
          else rest();
        });
    }, intervalMs);
  };
  /** Nobody is told: where the next begins is looked up anew. */
  const rest = (): void => {
    clearTimeout(timer);
    timer = undefined;
    position = undefined;
    told = new Set();
  };

  return {
    async subscribe(listener) {
      // First, so that a look which ends now does not take this for nobody.
      listeners.add(listener);
      while (position === undefined) await lookOnce();
      if (timer === undefined) schedule();
      return position;
    },
    unsubscribe: (listener) => void listeners.delete(listener),
    async since(from) {
      const found = await readChanges(db, from, MOST_CHANGES);
      return { position: found.position, entries: found.changes && (await loadEntries(db, found.changes)) };
    },
    stop() {
      listeners.clear();
      clearTimeout(timer);
    },
  };
}

const nameOf = ({ kind, id, changed }: Change): string => `${kind} ${id} ${changed}`;
