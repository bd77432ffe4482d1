import fs from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';

/** Plain descriptors: a FileHandle costs a promise and an object per call in the path of the bytes. */
export const openFile = promisify(fs.open);
export const closeFile = promisify(fs.close);
export const statFile = promisify(fs.fstat);
export const truncateFile = promisify(fs.ftruncate);
export const syncData = promisify(fs.fdatasync);
export const syncFile = promisify(fs.fsync);
const writeOnce = promisify(fs.write);

/** Writes all of `bytes`: a nearly full disk takes a part first and fails only at the next call. */
export async function writeFully(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await writeOnce(fd, bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Makes a created, renamed or removed name last. */
export async function syncDirectoryOf(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectoryOf(path);
}

/** What a failure of the local disk means. Errors that already have a meaning stay as they are. */
export function poolFailure(error: unknown): SlipwayError {
  if (isSlipwayError(error)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SlipwayError('SLIPWAY_POOL_FULL', 'The primary storage pool has no space left', { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new SlipwayError('SLIPWAY_POOL_IO', `The primary storage pool cannot be written: ${message}`, {
    cause: error,
  });
}
