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
  const file = await openOwnFile(from);
  try {
    await file.chmod(TEMPLATE_MODE);
    const inspection = await inspectImage(descriptorPath(file), format);
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
 * Inspects an image that is published already.
 *
 * @throws SlipwayError SLIPWAY_IMAGE_… as `inspectImage`
 */
export async function inspectPublished(path: string, format: ImageFormat): Promise<ImageInspection> {
  const file = await openOwnFile(path);
  try {
    return await inspectImage(descriptorPath(file), format);
  } finally {
    await file.close();
  }
}

/**
 * A link, planted by whoever can write to the pool, would make any file of the host a template; another name of a disk
 * would make that one. To open a pipe would wait for its writer.
 */
async function openOwnFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (stats.isFile() && stats.nlink === 1) return file;
  await file.close();
  throw new Error('something else is in the place of the file');
}

/** What is inspected has to be what was opened, and not what the name stands for by then. */
const descriptorPath = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;

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
