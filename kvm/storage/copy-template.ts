import { constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImageFormat } from '../../shared/images.js';
import { NOBODY_ID } from '../confined/confining-command.js';
import { qemuFormat } from '../image/inspect-image.js';
import { copyWithQemuImg } from '../image/qemu-img.js';

/** Blocks of `stat`, whatever the file system's own are. */
const STAT_BLOCK_BYTES = 512;

/**
 * Fills an empty qcow2 file with the content of a template. Zeros take no space. What is read are a stranger's bytes, all
 * of them: `qemu-img` does it as nobody, and has no more than these two files.
 */
export async function copyTemplate(
  from: { path: string; format: ImageFormat },
  to: { path: string; sizeBytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const source = await open(from.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await refuseWithoutSpace(source, dirname(to.path));
    const target = await open(to.path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const { uid, gid } = await target.stat();
      const isGivenAway = process.geteuid?.() === 0 && (await wasGiven(target.chown(NOBODY_ID, NOBODY_ID)));
      await copyWithQemuImg({
        source: source.fd,
        sourceFormat: qemuFormat(from.format),
        target: target.fd,
        targetSizeBytes: to.sizeBytes,
        signal,
      });
      if (isGivenAway) await target.chown(uid, gid);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** A copy that cannot fit would first take from running VMs all the space that is left. */
async function refuseWithoutSpace(source: FileHandle, directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const { blocks } = await source.stat();
  if (bavail * bsize >= blocks * STAT_BLOCK_BYTES) return;
  throw Object.assign(new Error('No space left on device'), { code: 'ENOSPC' });
}

/** A server that takes root for nobody does not let it give files away; they are nobody's already. */
const wasGiven = (chown: Promise<void>): Promise<boolean> =>
  chown.then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPERM') return false;
      throw error;
    },
  );
