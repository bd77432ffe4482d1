import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { throwIfAborted } from '../download/abort.js';
import type { Interval } from '../download/interval-set.js';
import { type Journal, readJournal, writeJournal } from '../download/journal.js';
import { syncDirectory } from '../write-file-durably.js';
import { unlessMissing } from './pool-error.js';

/** Beside the new partial file, and swept and discarded with it. */
const SUFFIX = 'adopted';
const CHUNK_BYTES = 1024 ** 2;
/** A sync cannot be called off: one of the whole file at the end would outlast the patience of whoever cancels. */
const SYNC_EVERY_BYTES = 64 * 1024 ** 2;

/**
 * Gives a new try what a dead one had downloaded, in a file of its own: the dead one's host may only seem dead and still
 * write to its file, and two writers of one file would make a third image out of two good ones. Only what the dead one's
 * journal vouches for counts. On file systems that can share blocks nothing is copied.
 *
 * Does nothing when there is nothing to adopt, or the new try has begun already.
 */
export async function adoptPartial(
  from: string,
  to: string,
  signal: AbortSignal,
  copySynced: typeof cloneOrCopy = cloneOrCopy,
): Promise<void> {
  const journal = await readJournal(from);
  if (!journal || journal.synced.length === 0 || (await readJournal(to))) return;
  const copy = `${to}.${SUFFIX}`;
  try {
    await rm(copy, { force: true });
    if (!(await copySynced(from, copy, journal.synced, signal))) return;
    const now = await readJournal(from);
    if (!now || !stillVouchesFor(now, journal)) return;
    await rename(copy, to);
    // A journal that outlives a crash must not vouch for the file that was there before.
    await syncDirectory(dirname(to));
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

/** @returns false when there is no file, or one that cannot be the other's: a link could lead to any file of this host */
async function cloneOrCopy(
  from: string,
  to: string,
  intervals: readonly Interval[],
  signal: AbortSignal,
): Promise<boolean> {
  throwIfAborted(signal);
  const source = await unlessMissing(open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  if (!source) return false;
  try {
    const stats = await source.stat();
    const wantedBytes = intervals.at(-1)?.endByte ?? 0;
    if (!stats.isFile() || stats.nlink > 1 || stats.size < wantedBytes) return false;
    // Of the file that was looked at, whatever its name stands for by now.
    const isCloned = await copyFile(
      `/proc/self/fd/${source.fd}`,
      to,
      constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE,
    ).then(
      () => true,
      () => false,
    );
    const target = await open(to, isCloned ? constants.O_RDWR | constants.O_NOFOLLOW : 'wx', 0o600);
    try {
      if (!isCloned) await copyIntervals(source, target, intervals, signal);
      // Before a journal vouches for it.
      await target.sync();
    } finally {
      await target.close();
    }
    return true;
  } finally {
    await source.close();
  }
}

async function copyIntervals(
  source: FileHandle,
  target: FileHandle,
  intervals: readonly Interval[],
  signal: AbortSignal,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let unsyncedBytes = 0;
  for (const { fromByte, endByte } of intervals) {
    for (let position = fromByte; position < endByte;) {
      throwIfAborted(signal);
      const { bytesRead } = await source.read(buffer, 0, Math.min(CHUNK_BYTES, endByte - position), position);
      if (bytesRead === 0) throw new Error('The file of the other try became shorter');
      for (let done = 0; done < bytesRead;) {
        done += (await target.write(buffer, done, bytesRead - done, position + done)).bytesWritten;
      }
      position += bytesRead;
      unsyncedBytes += bytesRead;
      if (unsyncedBytes < SYNC_EVERY_BYTES) continue;
      await target.datasync();
      unsyncedBytes = 0;
    }
  }
}
