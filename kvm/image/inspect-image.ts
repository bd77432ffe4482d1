import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { formatProblem } from './format-problem.js';
import { readAt, withImageFile, type ImageFile } from './image-file.js';
import { problem, type ImageProblem } from './image-problem.js';
import { isoProblem } from './iso-problem.js';
import { parseQcow2Header } from './qcow2-header.js';
import { qcow2L1Problem } from './qcow2-l1-problem.js';
import { qcow2Problem } from './qcow2-problem.js';
import { QemuImgFailure, readWithQemuImg } from './qemu-img.js';

/** As much as the largest file of ext4: above any real disk, and far below the sizes with which images attack. */
export const MAX_IMAGE_BYTES = 16 * 1024 ** 4;
const SECTOR_BYTES = 512;

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
 * first; only then does `qemu-img` open it, confined, with the format given, and it must see the same (CVE-2024-50386).
 *
 * @throws SlipwayError with a code SLIPWAY_IMAGE_*, saying why; another error when this host cannot tell
 */
export function inspectImage(path: string, format: ImageFormat): Promise<ImageInspection> {
  return withImageFile(path, async (file) => {
    const fromBytes = await judgeBytes(file, format);
    if (typeof fromBytes !== 'number') throw refusal(format, fromBytes);
    const fromQemu = await askQemu(file, format);
    if (typeof fromQemu !== 'number') throw refusal(format, fromQemu);
    if (fromQemu !== fromBytes) {
      const reason = `its virtual size is ${fromBytes} bytes by its header and ${fromQemu} by qemu-img`;
      throw refusal(format, problem('REFUSED', reason));
    }
    return { format, virtualSizeBytes: fromQemu, physicalSizeBytes: file.sizeBytes };
  });
}

/** @returns the virtual size in bytes; QEMU rounds the length of a file up to whole sectors, and that of a qcow2 disk down */
async function judgeBytes(file: ImageFile, format: ImageFormat): Promise<number | ImageProblem> {
  const { handle, sizeBytes, head, marks } = file;
  if (sizeBytes === 0) return problem('SIZE', 'it is empty');
  if (sizeBytes > MAX_IMAGE_BYTES) {
    return problem('SIZE', `its length of ${sizeBytes} bytes is more than the ${MAX_IMAGE_BYTES} allowed`);
  }
  const ofFormat = formatProblem(marks, head, format);
  if (ofFormat) return ofFormat;
  if (format !== 'QCOW2') {
    if (sizeBytes < SECTOR_BYTES) return problem('SIZE', `its ${sizeBytes} bytes are less than a sector`);
    const wholeSectors = Math.ceil(sizeBytes / SECTOR_BYTES);
    return (format === 'ISO' ? isoProblem(head, sizeBytes) : undefined) ?? wholeSectors * SECTOR_BYTES;
  }
  const header = parseQcow2Header(head);
  if ('code' in header) return header;
  const read = (offset: number, lengthBytes: number): Promise<Buffer> => readAt(handle, offset, lengthBytes);
  return (
    qcow2Problem(header, sizeBytes, MAX_IMAGE_BYTES) ??
    (await qcow2L1Problem(header, sizeBytes, read)) ??
    header.virtualSizeBytes - (header.virtualSizeBytes % SECTOR_BYTES)
  );
}

interface QemuImgInfo {
  format?: string;
  'virtual-size'?: number;
  'backing-filename'?: string;
  'format-specific'?: { data?: { 'data-file'?: string } };
}

/** @returns the virtual size in bytes */
async function askQemu({ handle, isWorldReadable }: ImageFile, format: ImageFormat): Promise<number | ImageProblem> {
  const output = await readWithQemuImg(['info', '-f', qemuFormat(format), '--output=json', '/proc/self/fd/3'], {
    fileDescriptor: handle.fd,
    isPrivate: !isWorldReadable,
  }).catch((error: unknown) => {
    if (error instanceof QemuImgFailure) return problem('REFUSED', `qemu-img cannot read it: ${error.message}`);
    throw error;
  });
  if (typeof output !== 'string') return output;
  const info = JSON.parse(output) as QemuImgInfo;
  if (info.format !== qemuFormat(format)) return problem('REFUSED', `qemu-img takes it for ${info.format}`);
  if (info['backing-filename'] !== undefined) return problem('REFUSED', 'qemu-img sees a backing file');
  if (info['format-specific']?.data?.['data-file'] !== undefined) {
    return problem('REFUSED', 'qemu-img sees an external data file');
  }
  return info['virtual-size'] ?? 0;
}

const refusal = (format: ImageFormat, { code, reason }: ImageProblem): SlipwayError =>
  new SlipwayError(code, `The file is refused as ${format} image: ${reason}`);
