import { resolve } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import { unlessAborted } from './abort.js';

interface Holder {
  takeover: AbortController;
  ended: Promise<void>;
}

/**
 * Who writes to which path in this process. State of the module on purpose: two writers of one file meet here however
 * they were composed, and a host runs one worker process.
 */
const holders = new Map<string, Holder>();

/**
 * Runs `act` as the only one for `path`. A newer call aborts the older one and begins when that has ended: a repeated
 * activity means that nobody waits for the first one any more. A call that is aborted while it waits rejects at once.
 *
 * @throws SlipwayError SLIPWAY_FENCED when a newer call has ended it; what `act` throws; AbortError
 */
export async function runExclusively<T>(
  path: string,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const key = resolve(path);
  const previous = holders.get(key);
  const takeover = new AbortController();
  let markEnded = (): void => undefined;
  const holder: Holder = { takeover, ended: new Promise<void>((done) => (markEnded = done)) };
  holders.set(key, holder);
  const leave = (): void => {
    if (holders.get(key) === holder) holders.delete(key);
    markEnded();
  };
  const either = AbortSignal.any([signal, takeover.signal]);
  let hasTurn = false;
  try {
    previous?.takeover.abort(new SlipwayError('SLIPWAY_FENCED', 'Newer work on the same file has begun'));
    await unlessAborted(previous?.ended ?? Promise.resolve(), either);
    hasTurn = true;
    return await act(either);
  } catch (error) {
    // How it noticed does not matter: whoever reads the log must not take it for a failure of the disk or the source.
    throw takeover.signal.aborted && !signal.aborted ? takeover.signal.reason : error;
  } finally {
    // Whoever comes next has to wait for the one that this one has waited for.
    if (hasTurn || !previous) leave();
    else void previous.ended.then(leave);
  }
}
