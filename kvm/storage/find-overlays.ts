import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HEAD_BYTES } from '../image/content-marks.js';
import { readAt } from '../image/image-file.js';
import { hasQcow2Signature, parseQcow2Header } from '../image/qcow2-header.js';
import { isInstalledTemplate, parsePartialFileName } from './file-names.js';

/** What says that a file was removed meanwhile. */
const GONE = 'ENOENT';
/** What says that a file is there, and not what is in it. */
const CLOSED_TO_US = new Set(['EACCES', 'EPERM', 'ELOOP']);

/** A file that stands on another one, or may. */
interface Overlay {
  name: string;
  /** What it says that it stands on; null when it does not tell. */
  backingFile: string | null;
}

/**
 * Looks on disk for files of a directory that stand on one of its templates, whoever made them: a disk that the database
 * does not know, or a snapshot that somebody took by hand. A file that does not tell what it stands on counts as well,
 * because a disk whose template is gone cannot be repaired. Directories below are not looked at.
 *
 * @param template its file name
 * @returns names of such files
 */
export async function findOverlays(directory: string, template: string): Promise<string[]> {
  const overlays = await listOverlays(directory);
  return overlays.filter((overlay) => mayStandOn(overlay, template)).map(({ name }) => name);
}

/** All files of a directory that stand on something: for many questions at once, as each is as many reads as there are files. */
export async function listOverlays(directory: string): Promise<Overlay[]> {
  const found: Overlay[] = [];
  for (const name of await readdir(directory)) {
    // Neither has a backing file: the inspection refuses images that have one, and what is downloaded is not used yet.
    if (isInstalledTemplate(name) || parsePartialFileName(name) !== undefined) continue;
    const backingFile = await backingFileOf(join(directory, name));
    if (backingFile !== undefined) found.push({ name, backingFile });
  }
  return found;
}

export const mayStandOn = ({ backingFile }: Overlay, fileName: string): boolean =>
  backingFile === null || names(backingFile, fileName);

/** @returns undefined for one that stands on nothing */
async function backingFileOf(path: string): Promise<string | null | undefined> {
  const head = await readHead(path);
  if (head === 'unknown') return null;
  if (!head || !hasQcow2Signature(head)) return undefined;
  const header = parseQcow2Header(head);
  if ('code' in header) return null;
  if (header.backingFileOffset === 0) return undefined;
  return header.backingFile ?? null;
}

/** @returns undefined for what is no file, or is gone */
async function readHead(path: string): Promise<Buffer | 'unknown' | undefined> {
  try {
    // To open a pipe for reading would wait for its writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return (await file.stat()).isFile() ? await readAt(file, 0, HEAD_BYTES) : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === GONE || code === 'ENXIO') return undefined;
    if (CLOSED_TO_US.has(code)) return 'unknown';
    throw error;
  }
}

/**
 * Whether a backing name, which may be relative, absolute or QEMU's `json:{…}`, has the template's name in it. What follows
 * must not be a digit: `….e1` is not `….e12`.
 */
const names = (backingFile: string, template: string): boolean => {
  const [, ...rests] = backingFile.split(template);
  return rests.some((rest) => !/^\d/.test(rest));
};
