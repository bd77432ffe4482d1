import { open, rename, rm } from 'node:fs/promises';
import { DIGEST_ALGORITHMS, DIGEST_HEX_LENGTH, type Digest } from '../../shared/checksum.js';
import { isErrorCode } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import { COMPRESSIONS, type Unpacked } from '../../shared/images.js';
import { NotOurFileError, readOwnFile } from '../read-own-file.js';
import { removeDurably, syncDirectoryOf } from './file-io.js';
import type { Interval } from './interval-set.js';
import type { SourceIdentity } from './source-identity.js';

/** What is known about a partial file after a crash. */
export interface Journal {
  /** Bytes of the file that were synced to disk before this was written, in order, without overlaps. */
  synced: Interval[];
  /** A source that the bytes came from: the only one, unless a hash vouches for those of others. */
  source?: SourceIdentity | undefined;
  /** Only when the file is complete. */
  finished?: FinishedFile | undefined;
}

export interface FinishedFile {
  sizeBytes: number;
  digests: Digest[];
  /** Of a packed file, once it is unpacked. */
  unpacked?: Unpacked | undefined;
  /** Why it cannot be unpacked. */
  unpackFailure?: Failure | undefined;
}

/** More than the intervals of all connections of any download take. */
const MAX_JOURNAL_BYTES = 16 * 1024 * 1024;

export const journalPathOf = (partialPath: string): string => `${partialPath}.journal`;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isByteCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isOptional = (value: unknown, type: 'string' | 'number'): boolean => value === undefined || typeof value === type;

const isSource = (value: unknown): value is SourceIdentity =>
  isObject(value) &&
  typeof value['url'] === 'string' &&
  isOptional(value['place'], 'string') &&
  isOptional(value['etag'], 'string') &&
  isOptional(value['lastModified'], 'string') &&
  (value['totalBytes'] === undefined || isByteCount(value['totalBytes']));

const isDigest = (value: unknown): value is Digest => {
  if (!isObject(value)) return false;
  const algorithm = DIGEST_ALGORITHMS.find((known) => known === value['algorithm']);
  return algorithm !== undefined && String(value['value']).length === DIGEST_HEX_LENGTH[algorithm];
};

const isInterval = (value: unknown): value is Interval =>
  isObject(value) &&
  isByteCount(value['fromByte']) &&
  isByteCount(value['endByte']) &&
  value['fromByte'] < value['endByte'];

const areIntervals = (value: unknown): value is Interval[] =>
  Array.isArray(value) &&
  value.every(isInterval) &&
  value.every((interval, index) => index === 0 || value[index - 1]!.endByte < interval.fromByte);

const isUnpacked = (value: unknown): value is Unpacked =>
  isObject(value) && COMPRESSIONS.some((known) => known === value['compression']) && isByteCount(value['sizeBytes']);

const isFailure = (value: unknown): value is Failure =>
  isObject(value) && isErrorCode(value['code']) && typeof value['message'] === 'string';

const isFinished = (value: unknown): value is FinishedFile =>
  isObject(value) &&
  isByteCount(value['sizeBytes']) &&
  Array.isArray(value['digests']) &&
  value['digests'].every(isDigest) &&
  (value['unpacked'] === undefined || isUnpacked(value['unpacked'])) &&
  (value['unpackFailure'] === undefined || isFailure(value['unpackFailure']));

/** undefined for anything but a journal: a torn or foreign file must mean "nothing is known", never a failure. */
export function parseJournal(text: string): Journal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { synced, source, finished } = value;
  if (!areIntervals(synced)) return undefined;
  if (source !== undefined && !isSource(source)) return undefined;
  if (finished !== undefined && !isFinished(finished)) return undefined;
  return { synced, source, finished };
}

export async function readJournal(partialPath: string): Promise<Journal | undefined> {
  try {
    const text = await readOwnFile(journalPathOf(partialPath), MAX_JOURNAL_BYTES);
    return text === undefined ? undefined : parseJournal(text);
  } catch (error) {
    if (error instanceof NotOurFileError) return undefined;
    throw error;
  }
}

/** Replaces the journal in one step; a crash leaves the old or the new one. The bytes must be synced before. */
export async function writeJournal(partialPath: string, journal: Journal): Promise<void> {
  const path = journalPathOf(partialPath);
  const temporaryPath = `${path}.tmp`;
  // What is there, from a killed write or as a link of somebody else's, must not be written through.
  await rm(temporaryPath, { force: true });
  const file = await open(temporaryPath, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(journal));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporaryPath, path);
  // The end of a download is announced to others, so it must not be undone by a power cut; older bytes are harmless.
  if (journal.finished) await syncDirectoryOf(path);
}

/** Must be durable before bytes of another version overwrite those that the journal vouches for. */
export async function removeJournal(partialPath: string): Promise<void> {
  const path = journalPathOf(partialPath);
  await rm(`${path}.tmp`, { force: true });
  await removeDurably(path);
}
