import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { contentMarks, HEAD_BYTES, TAIL_BYTES, type Mark } from './content-marks.js';

/** A file that is looked at, and what its first and last bytes say that it is. */
export interface ImageFile {
  handle: FileHandle;
  sizeBytes: number;
  /** Whether `nobody` may open it. */
  isWorldReadable: boolean;
  /** The first 64 KiB. */
  head: Buffer;
  marks: Mark[];
}

/** Opens a file and hands it to `use`; closes it. */
export async function withImageFile<T>(path: string, use: (file: ImageFile) => Promise<T>): Promise<T> {
  // To open a pipe for reading would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('Only a regular file can be inspected');
    const sizeBytes = stats.size;
    const head = await readAt(handle, 0, Math.min(sizeBytes, HEAD_BYTES));
    const tail = await readTail(handle, sizeBytes);
    const isWorldReadable = (stats.mode & 0o004) !== 0;
    return await use({ handle, sizeBytes, isWorldReadable, head, marks: contentMarks(head, tail) });
  } finally {
    await handle.close();
  }
}

function readTail(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  // Node cannot read there; nor can a file be so long that is an image.
  if (sizeBytes > Number.MAX_SAFE_INTEGER) return Promise.resolve(Buffer.alloc(0));
  return readAt(handle, Math.max(0, sizeBytes - TAIL_BYTES), Math.min(sizeBytes, TAIL_BYTES));
}

/** @returns fewer bytes than asked for only at the end of the file */
export async function readAt(handle: FileHandle, offset: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  let filled = 0;
  while (filled < lengthBytes) {
    const { bytesRead } = await handle.read(bytes, filled, lengthBytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
