import { open, readFile, rename, rm } from 'node:fs/promises';
import { DIGEST_ALGORITHMS, DIGEST_HEX_LENGTH, type Digest } from '../../shared/checksum.js';
import { removeDurably, syncDirectoryOf } from './file-io.js';
import type { SourceIdentity } from './source-identity.js';

/** What is known about a partial file after a crash. */
export interface Journal {
  /** Bytes from the start of the file that were synced to disk before this was written. */
  syncedBytes: number;
  /** The source that the bytes came from. */
  source?: SourceIdentity | undefined;
  /** Digests of the whole file; only when it is complete. */
  finishedDigests?: Digest[] | undefined;
}

export const journalPathOf = (partialPath: string): string => `${partialPath}.journal`;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isByteCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isOptional = (value: unknown, type: 'string' | 'number'): boolean => value === undefined || typeof value === type;

const isSource = (value: unknown): value is SourceIdentity =>
  isObject(value) &&
  typeof value['url'] === 'string' &&
  isOptional(value['etag'], 'string') &&
  isOptional(value['lastModified'], 'string') &&
  (value['totalBytes'] === undefined || isByteCount(value['totalBytes']));

const isDigest = (value: unknown): value is Digest => {
  if (!isObject(value)) return false;
  const algorithm = DIGEST_ALGORITHMS.find((known) => known === value['algorithm']);
  return algorithm !== undefined && String(value['value']).length === DIGEST_HEX_LENGTH[algorithm];
};

/** undefined for anything but a journal: a torn or foreign file must mean "nothing is known", never a failure. */
export function parseJournal(text: string): Journal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { syncedBytes, source, finishedDigests } = value;
  if (!isByteCount(syncedBytes)) return undefined;
  if (source !== undefined && !isSource(source)) return undefined;
  if (finishedDigests !== undefined && !(Array.isArray(finishedDigests) && finishedDigests.every(isDigest))) {
    return undefined;
  }
  return { syncedBytes, source, finishedDigests };
}

export async function readJournal(partialPath: string): Promise<Journal | undefined> {
  try {
    return parseJournal(await readFile(journalPathOf(partialPath), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the journal in one step; a crash leaves the old or the new one. The bytes must be synced before. */
export async function writeJournal(partialPath: string, journal: Journal): Promise<void> {
  const path = journalPathOf(partialPath);
  const temporaryPath = `${path}.tmp`;
  const file = await open(temporaryPath, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(journal));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporaryPath, path);
  // The end of a download is announced to others, so it must not be undone by a power cut; an older offset is harmless.
  if (journal.finishedDigests) await syncDirectoryOf(path);
}

/** Must be durable before bytes of another version overwrite those that the journal vouches for. */
export async function removeJournal(partialPath: string): Promise<void> {
  const path = journalPathOf(partialPath);
  await rm(`${path}.tmp`, { force: true });
  await removeDurably(path);
}
