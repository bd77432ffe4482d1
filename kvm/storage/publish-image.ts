import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename } from 'node:fs/promises';
import type { ImageFormat } from '../../shared/images.js';
import { inspectImage, type ImageInspection } from '../image/inspect-image.js';

/**
 * Everyone may read a template and nobody but its owner write it: QEMU and the unprivileged inspection read it as other
 * users, and behind root_squash root is one of those.
 */
const TEMPLATE_MODE = 0o644;

/**
 * Makes a file, once it is judged to be a safe image, the file `to` of the same directory: synced, in one step.
 *
 * @throws SlipwayError SLIPWAY_IMAGE_… as `inspectImage`
 */
export async function publishImage(from: string, to: string, format: ImageFormat): Promise<ImageInspection> {
  // A link, planted by whoever can write to the pool, would let root publish any file of the host.
  const file = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    await file.chmod(TEMPLATE_MODE);
    const inspection = await inspectImage(from, format);
    await file.sync();
    await moveFile(file, from, to);
    const { size } = await file.stat();
    if (size !== inspection.physicalSizeBytes) throw new Error('the file changed while it was installed');
    return inspection;
  } finally {
    await file.close();
  }
}

/**
 * Renames an open file. What the file system answers is not believed either way: an NFS server that is asked again,
 * because its first answer was lost, says ENOENT to a rename that it has done.
 *
 * @throws when `to` is not this very file afterwards
 */
export async function moveFile(file: FileHandle, from: string, to: string): Promise<void> {
  const failure = await rename(from, to).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  if (failure && failure.code !== 'ENOENT') throw failure;
  const moved = await file.stat({ bigint: true });
  const found = await lstat(to, { bigint: true }).catch((error: unknown) => {
    throw failure ?? error;
  });
  if (found.ino === moved.ino && found.dev === moved.dev && found.size === moved.size) return;
  throw failure ?? new Error('another file is in its place after it was renamed');
}
