import { open, type FileHandle } from 'node:fs/promises';
import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { foreignContainer } from './foreign-container.js';
import { parseQcow2Header, QCOW2_HEADER_READ_BYTES, qcow2Problem } from './qcow2-header.js';
import { QemuImgFailure, runQemuImg } from './qemu-img.js';

/** Far above any real disk, and far below the sizes with which images attack. */
const MAX_VIRTUAL_SIZE_BYTES = 64 * 1024 ** 4;
const SECTOR_BYTES = 512;
const NOBODY_UID = 65_534;

export interface ImageInspection {
  format: ImageFormat;
  /** The disk as a guest sees it. */
  virtualSizeBytes: number;
  /** Length of the file. */
  physicalSizeBytes: number;
}

/** QEMU's names of the formats. */
export const qemuFormat = (format: ImageFormat): 'qcow2' | 'raw' => (format === 'QCOW2' ? 'qcow2' : 'raw');

/**
 * Decides whether a stranger's file is a safe image of the format it was registered as. The file's own bytes are judged
 * first; only then does `qemu-img` open it, with the format given, and it must see the same (CVE-2024-50386).
 *
 * @throws SlipwayError SLIPWAY_IMAGE_REFUSED, saying why; another error when this host cannot tell
 */
export async function inspectImage(path: string, format: ImageFormat): Promise<ImageInspection> {
  const file = await open(path, 'r');
  try {
    const { size, mode } = await file.stat();
    if (size === 0) throw refused(format, 'the file is empty');
    const fromBytes = await judgeBytes(file, size, format);
    const fromQemu = await askQemu(file, mode, format);
    if (fromQemu !== fromBytes) {
      throw refused(format, `its virtual size is ${fromBytes} bytes by its header and ${fromQemu} by qemu-img`);
    }
    return { format, virtualSizeBytes: fromQemu, physicalSizeBytes: size };
  } finally {
    await file.close();
  }
}

/** @returns the virtual size in bytes */
async function judgeBytes(file: FileHandle, sizeBytes: number, format: ImageFormat): Promise<number> {
  const head = await readAt(file, 0, Math.min(sizeBytes, QCOW2_HEADER_READ_BYTES));
  const tail = await readAt(file, Math.max(0, sizeBytes - SECTOR_BYTES), Math.min(sizeBytes, SECTOR_BYTES));
  if (format === 'RAW') {
    const container = foreignContainer(head, tail);
    if (container) throw refused(format, `the file is ${container}`);
    return Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
  }
  const header = parseQcow2Header(head);
  if ('problem' in header) {
    const container = foreignContainer(head, tail);
    const isQcow = container === 'a qcow image' || container === undefined;
    throw refused(format, isQcow ? header.problem : `the file is ${container}`);
  }
  const problem = qcow2Problem(header, sizeBytes, MAX_VIRTUAL_SIZE_BYTES);
  if (problem) throw refused(format, problem);
  return Math.ceil(header.virtualSizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
}

interface QemuImgInfo {
  format?: string;
  'virtual-size'?: number;
  'backing-filename'?: string;
  'format-specific'?: { data?: { 'data-file'?: string } };
}

/** @returns the virtual size in bytes */
async function askQemu(file: FileHandle, mode: number, format: ImageFormat): Promise<number> {
  const isWorldReadable = (mode & 0o004) !== 0;
  // The descriptor is of the very file that was judged, and lets `nobody` read it below directories closed to it.
  const info = await runQemuImg(['info', '-f', qemuFormat(format), '--output=json', '/proc/self/fd/3'], {
    fileDescriptor: file.fd,
    ...(process.geteuid?.() === 0 && isWorldReadable ? { uid: NOBODY_UID } : {}),
  }).then(
    (json) => JSON.parse(json) as QemuImgInfo,
    (error: unknown) => {
      if (!(error instanceof QemuImgFailure)) throw error;
      throw refused(format, `qemu-img cannot read it: ${error.message}`, error);
    },
  );
  if (info.format !== qemuFormat(format)) throw refused(format, `qemu-img takes it for ${info.format}`);
  if (info['backing-filename'] !== undefined) throw refused(format, 'it has a backing file');
  if (info['format-specific']?.data?.['data-file'] !== undefined) {
    throw refused(format, 'it keeps its data in an external file');
  }
  return info['virtual-size'] ?? 0;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

const refused = (format: ImageFormat, reason: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_IMAGE_REFUSED', `The file is refused as ${format} image: ${reason}`, { cause });
