import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Journal, readJournal, writeJournal } from '../download/journal.js';

/** Beside the new partial file, and swept and discarded with it. */
const SUFFIX = 'adopted';
const CHUNK_BYTES = 1024 ** 2;

/**
 * Gives a new try what a dead one had downloaded, in a file of its own: the dead one's host may only seem dead and still
 * write to its file, and two writers of one file would make a third image out of two good ones. Only what the dead one's
 * journal vouches for counts. On file systems that can share blocks nothing is copied.
 *
 * Does nothing when there is nothing to adopt, or the new try has begun already.
 */
export async function adoptPartial(from: string, to: string, signal: AbortSignal): Promise<void> {
  const journal = await readJournal(from);
  if (!journal || journal.synced.length === 0 || (await readJournal(to))) return;
  const copy = `${to}.${SUFFIX}`;
  try {
    await rm(copy, { force: true });
    await cloneOrCopy(from, copy, signal);
    const now = await readJournal(from);
    if (!now || !stillVouchesFor(now, journal)) return;
    await rename(copy, to);
    // What it was unpacked to is not taken over: that is made anew, without the network.
    const { finished, ...rest } = journal;
    await writeJournal(to, { ...rest, finished: finished?.unpacked ? undefined : finished });
  } finally {
    await rm(copy, { force: true });
  }
}

/** Else the other has thrown bytes away, or begun anew with another file, and the copy may be of both. */
function stillVouchesFor(now: Journal, before: Journal): boolean {
  return (
    JSON.stringify(now.source) === JSON.stringify(before.source) &&
    before.synced.every(({ fromByte, endByte }) =>
      now.synced.some((interval) => interval.fromByte <= fromByte && interval.endByte >= endByte),
    )
  );
}

async function cloneOrCopy(from: string, to: string, signal: AbortSignal): Promise<void> {
  const isCloned = await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  );
  if (!isCloned) {
    await pipeline(
      createReadStream(from, { highWaterMark: CHUNK_BYTES }),
      createWriteStream(to, { mode: 0o600, highWaterMark: CHUNK_BYTES }),
      { signal },
    );
  }
  // Before a journal vouches for it.
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
