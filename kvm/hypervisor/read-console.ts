import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readAt } from '../image/image-file.js';
import { unlessMissing } from '../storage/pool-error.js';
import { assertUuid } from '../uuid.js';
import { consoleFileName } from './remove-console.js';

/** As much as an activity can answer, sealed. */
const MAX_LENGTH_BYTES = 512 * 1024;

/**
 * Reads the end of what a VM wrote to its serial console.
 *
 * @param lengthBytes at most; 512 KiB are the most there is
 * @returns empty for a VM that has written nothing here
 */
export async function readConsole(directory: string, vmId: string, lengthBytes: number): Promise<Buffer> {
  assertUuid(vmId, 'VM id');
  const name = consoleFileName(vmId);
  let wantedBytes = Number.isFinite(lengthBytes) ? Math.max(0, Math.min(Math.floor(lengthBytes), MAX_LENGTH_BYTES)) : 0;
  const parts: Buffer[] = [];
  // When virtlogd has just begun a new file, what is wanted is at the end of the one before.
  for (const part of [name, `${name}.0`]) {
    if (wantedBytes === 0) break;
    const end = (await unlessMissing(readEnd(join(directory, part), wantedBytes))) ?? Buffer.alloc(0);
    parts.unshift(end);
    wantedBytes -= end.length;
  }
  return Buffer.concat(parts);
}

async function readEnd(path: string, lengthBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const offset = Math.max(0, size - lengthBytes);
    // A VM that writes meanwhile makes the file longer.
    return await readAt(file, offset, size - offset);
  } finally {
    await file.close();
  }
}
