import { lstat } from 'node:fs/promises';
import { unlessMissing } from '../storage/pool-error.js';
import { readJournal, writeJournal } from './journal.js';

/**
 * Has a finished download unpacked anew, without the network, when what its journal says that it was unpacked to is not
 * there: swept, discarded half-way, or something else in its place. Only while nobody downloads to `partialPath`.
 */
export async function forgetLostUnpacked(partialPath: string, unpackedPath: string): Promise<void> {
  const journal = await readJournal(partialPath);
  const unpacked = journal?.finished?.unpacked;
  if (!journal || !unpacked) return;
  const present = await unlessMissing(lstat(unpackedPath));
  if (present?.isFile() && present.nlink === 1 && present.size === unpacked.sizeBytes) return;
  await writeJournal(partialPath, { ...journal, finished: undefined });
}
