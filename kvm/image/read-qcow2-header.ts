import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { HEAD_BYTES } from './content-marks.js';
import { readAt } from './image-file.js';
import { parseQcow2Header, type Qcow2Header } from './qcow2-header.js';

/** @returns the header of one of our own qcow2 files, or undefined when the file is not (yet) one */
export async function readQcow2Header(path: string): Promise<Qcow2Header | undefined> {
  // Whoever writes to a shared pool must not make us wait for a pipe, nor read elsewhere.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const header = parseQcow2Header(await readAt(file, 0, HEAD_BYTES));
    return 'code' in header ? undefined : header;
  } finally {
    await file.close();
  }
}
