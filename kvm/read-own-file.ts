import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** What is in the place of a file of ours, in a directory that others write to as well. */
export class NotOurFileError extends Error {
  override readonly name = 'NotOurFileError';
}

/**
 * Reads a small file that we wrote to a directory which other hosts, or users of its file server, write to. A link there
 * could lead to any file of this host, and a pipe would hold one of the few threads that all file systems share for ever.
 *
 * @returns undefined when there is none
 * @throws NotOurFileError for a link, for anything but a file, and for a file of more than `maxBytes`
 */
export async function readOwnFile(path: string, maxBytes: number): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error.code === 'ELOOP' ? new NotOurFileError(`${path} is a link`) : error;
    },
  );
  if (!file) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new NotOurFileError(`${path} is not a file`);
    if (stats.size > maxBytes) throw new NotOurFileError(`${path} is longer than ${maxBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
