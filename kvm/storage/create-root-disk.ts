import { randomBytes } from 'node:crypto';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import { type ImageFormat, isDiskFormat } from '../../shared/images.js';
import type { RootDisk } from '../../shared/virtual-machines.js';
import { MAX_IMAGE_BYTES, qemuFormat } from '../image/inspect-image.js';
import type { Qcow2Header } from '../image/qcow2-header.js';
import { runQemuImg } from '../image/qemu-img.js';
import { readQcow2Header } from '../image/read-qcow2-header.js';
import { syncDirectory } from '../write-file-durably.js';
import { copyTemplate } from './copy-template.js';
import { isInstalledTemplate } from './file-names.js';
import { unlessMissing } from './pool-error.js';

/** A file that is to be made in the directory of a pool. */
export interface RootDiskFile {
  directory: string;
  fileName: string;
  disk: RootDisk;
  /** Ends a copy. */
  signal?: AbortSignal | undefined;
}

/**
 * Makes the qcow2 file of a root disk. A second call finds the first one's file and answers the same.
 *
 * @returns the virtual size in bytes
 */
export async function createRootDisk({ directory, fileName, disk, signal }: RootDiskFile): Promise<number> {
  refuseImpossible(disk);
  const path = join(directory, fileName);
  const existing = await unlessMissing(readQcow2Header(path));
  if (existing) {
    const problem = mismatch(existing, disk);
    if (problem) throw new SlipwayError('SLIPWAY_POOL_IO', `The file ${fileName} exists and ${problem}`);
    return existing.virtualSizeBytes;
  }
  const sizeBytes = await sizeOf(directory, disk);
  // Made under another name: a try that was killed half-way must not leave a file that looks whole.
  const temporary = `${path}.creating.${randomBytes(6).toString('hex')}`;
  try {
    // The backing name is relative, so that the pool can be mounted elsewhere. With -u the template is not opened: all
    // that is done here with our rights is to write a file of our own.
    const backing = disk.type === 'overlay' ? ['-u', '-F', qemuFormat(disk.templateFormat), '-b', disk.template] : [];
    await runQemuImg(['create', '-q', '-f', 'qcow2', ...backing, temporary, String(sizeBytes)]);
    // Guests' data is nobody else's; libvirt hands the file over to QEMU's user.
    await chmod(temporary, 0o600);
    if (disk.type === 'copy') {
      const from = { path: join(directory, disk.template), format: disk.templateFormat };
      await copyTemplate(from, { path: temporary, sizeBytes }, signal);
    }
    await syncFile(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
  return (await readQcow2Header(path))?.virtualSizeBytes ?? 0;
}

function refuseImpossible(disk: RootDisk): void {
  const { sizeBytes } = disk;
  if (sizeBytes !== null && !(Number.isSafeInteger(sizeBytes) && sizeBytes > 0 && sizeBytes <= MAX_IMAGE_BYTES)) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `A root disk is a whole number of bytes up to ${MAX_IMAGE_BYTES}, not ${sizeBytes}`,
    );
  }
  if (disk.type === 'blank') return;
  if (!isInstalledTemplate(disk.template) || !isDiskFormat(disk.templateFormat)) {
    throw new SlipwayError('SLIPWAY_INTERNAL', 'The root disk of a VM must be made from an installed template');
  }
}

/** @returns why a file that is there is not the disk, in words that follow "the file exists and" */
function mismatch({ backingFile, backingFormat, backingFileOffset }: Qcow2Header, disk: RootDisk): string | undefined {
  if (disk.type !== 'overlay') return backingFileOffset === 0 ? undefined : 'stands on a template';
  const isSame = backingFile === disk.template && backingFormat === qemuFormat(disk.templateFormat);
  return isSame ? undefined : 'stands on another template';
}

async function sizeOf(directory: string, disk: RootDisk): Promise<number> {
  if (disk.type === 'blank') return disk.sizeBytes;
  const templateBytes = await virtualSizeOf(join(directory, disk.template), disk.templateFormat);
  const sizeBytes = disk.sizeBytes ?? templateBytes;
  if (sizeBytes >= templateBytes) return sizeBytes;
  throw new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    `A root disk of ${sizeBytes} bytes is smaller than its template of ${templateBytes} bytes`,
  );
}

async function virtualSizeOf(path: string, format: ImageFormat): Promise<number> {
  if (format === 'RAW') return Math.ceil((await stat(path)).size / 512) * 512;
  const header = await readQcow2Header(path);
  if (!header) throw new SlipwayError('SLIPWAY_POOL_IO', 'The installed template is not a qcow2 image any more');
  return header.virtualSizeBytes;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
