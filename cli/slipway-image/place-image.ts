import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { detectFormat } from '../../kvm/image/detect-format.js';
import { inspectImage, type ImageInspection } from '../../kvm/image/inspect-image.js';
import { unlessMissing } from '../../kvm/storage/pool-error.js';
import { moveFile } from '../../kvm/storage/publish-image.js';
import { syncDirectory } from '../../kvm/write-file-durably.js';
import type { ImageFormat } from '../../shared/images.js';
import { usageError } from './usage-error.js';

/** As templates on a pool: QEMU reads them as another user, as does the unprivileged inspection. */
const IMAGE_MODE = 0o644;
/** What file systems without hard links answer. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export interface Placement {
  /** What was downloaded, or unpacked from it. */
  from: string;
  /** In the same directory. */
  to: string;
  /** Told from the content when absent. */
  format?: ImageFormat | undefined;
  isReplacing: boolean;
}

/**
 * Gives a file its final name, once it is judged to be a safe image: synced, in one step.
 *
 * @throws SlipwayError SLIPWAY_IMAGE_… as `inspectImage`; SLIPWAY_PARAMETER_INVALID when there is a file already
 */
export async function placeImage({ from, to, format, isReplacing }: Placement): Promise<ImageInspection> {
  const file = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    await file.chmod(IMAGE_MODE);
    const inspection = await inspectImage(from, format ?? (await detectFormat(from)).format);
    await file.sync();
    await (isReplacing ? moveFile(file, from, to) : nameOnce(file, from, to));
    const { size } = await file.stat();
    if (size !== inspection.physicalSizeBytes) throw new Error('the file changed while it was inspected');
    await syncDirectory(dirname(to));
    return inspection;
  } finally {
    await file.close();
  }
}

export async function requireNoFile(path: string): Promise<void> {
  if (await unlessMissing(lstat(path))) throw exists(path);
}

const exists = (path: string): Error =>
  usageError(`There is a file ${path} already: give another name with --name, or replace it with --force`);

/** Unlike a rename, a link never replaces what somebody else has put there since it was looked for. */
async function nameOnce(file: FileHandle, from: string, to: string): Promise<void> {
  const failure = await link(from, to).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  if (failure?.code !== undefined && NO_LINKS.has(failure.code)) {
    await requireNoFile(to);
    return moveFile(file, from, to);
  }
  if (failure && failure.code !== 'EEXIST') throw failure;
  // A file server that is asked again, because its first answer was lost, says EEXIST to what it has done.
  const [linked, found] = await Promise.all([file.stat({ bigint: true }), lstat(to, { bigint: true })]);
  if (linked.ino !== found.ino || linked.dev !== found.dev) throw exists(to);
  await rm(from, { force: true });
}
