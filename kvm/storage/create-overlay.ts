import { randomBytes } from 'node:crypto';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { qemuFormat } from '../image/inspect-image.js';
import { runQemuImg } from '../image/qemu-img.js';
import { readQcow2Header } from '../image/read-qcow2-header.js';
import { syncDirectory } from '../write-file-durably.js';
import { unlessMissing } from './pool-error.js';

export interface Overlay {
  directory: string;
  fileName: string;
  /** File name of the installed template, in the same directory. */
  backing: string;
  backingFormat: ImageFormat;
  /** Default: the size of the template. */
  sizeBytes?: number;
}

/**
 * Makes a qcow2 file that stands on an installed template and holds what differs from it. A second call finds the first
 * one's file and answers the same.
 *
 * @returns the virtual size in bytes
 */
export async function createOverlay(overlay: Overlay): Promise<number> {
  const { directory, fileName, backing, backingFormat, sizeBytes } = overlay;
  const path = join(directory, fileName);
  const existing = await unlessMissing(readQcow2Header(path));
  if (existing) {
    if (existing.backingFile !== backing || existing.backingFormat !== qemuFormat(backingFormat)) {
      throw new SlipwayError('SLIPWAY_POOL_IO', `The file ${fileName} exists and stands on another template`);
    }
    return existing.virtualSizeBytes;
  }
  const templateBytes = await virtualSizeOf(join(directory, backing), backingFormat);
  if (sizeBytes !== undefined && sizeBytes < templateBytes) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `A root disk of ${sizeBytes} bytes is smaller than its template of ${templateBytes} bytes`,
    );
  }
  // Made under another name: a try that was killed half-way must not leave a file that looks whole.
  const temporary = `${path}.creating.${randomBytes(6).toString('hex')}`;
  try {
    const size = String(sizeBytes ?? templateBytes);
    // The backing name is relative, so that the pool can be mounted elsewhere. With -u the template is not opened: all
    // that is done here with our rights is to write a file of our own.
    const backingOptions = ['-u', '-F', qemuFormat(backingFormat), '-b', backing];
    await runQemuImg(['create', '-q', '-f', 'qcow2', ...backingOptions, temporary, size]);
    // Guests' data is nobody else's; libvirt hands the file over to QEMU's user.
    await chmod(temporary, 0o600);
    await syncFile(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
  return (await readQcow2Header(path))?.virtualSizeBytes ?? 0;
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
