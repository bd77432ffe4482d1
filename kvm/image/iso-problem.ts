/** The volume descriptors of ISO 9660 (ECMA-119), read from bytes alone. */
import { problem, type ImageProblem } from './image-problem.js';

const DESCRIPTORS_OFFSET = 32 * 1024;
const SECTOR_BYTES = 2048;
/** As many as lie within the bytes that are read; a real ISO has two to five. */
const MAX_DESCRIPTORS = 16;
const PRIMARY = 1;
const TERMINATOR = 255;
/** Padding that burning programs count into the volume, and that is often cut off a file. */
const PADDING_BYTES = 150 * SECTOR_BYTES;

/**
 * Why an ISO must not be used; undefined when nothing speaks against it. UDF beside ISO 9660, and a boot record before
 * it, are as they should be.
 *
 * @param head the first 64 KiB of the file
 */
export function isoProblem(head: Buffer, fileSizeBytes: number): ImageProblem | undefined {
  for (let index = 0; index < MAX_DESCRIPTORS; index++) {
    const start = DESCRIPTORS_OFFSET + index * SECTOR_BYTES;
    const descriptor = head.subarray(start, start + SECTOR_BYTES);
    if (descriptor.length < SECTOR_BYTES) return damaged('it ends within its volume descriptors');
    if (descriptor.toString('latin1', 1, 6) !== 'CD001') return damaged('its volume descriptors have no end');
    const type = descriptor[0];
    if (type === TERMINATOR) return damaged('it has no primary volume descriptor');
    if (type === PRIMARY) return volumeProblem(descriptor, fileSizeBytes);
  }
  return damaged('it has no primary volume descriptor');
}

function volumeProblem(descriptor: Buffer, fileSizeBytes: number): ImageProblem | undefined {
  if (descriptor[6] !== 1) return damaged(`its volume descriptor has version ${descriptor[6]}`);
  const blockBytes = bothOrders16(descriptor, 128);
  const blocks = bothOrders32(descriptor, 80);
  if (blockBytes === undefined || blocks === undefined) return damaged('its volume has two sizes');
  if (![512, 1024, 2048].includes(blockBytes)) return damaged(`its blocks have ${blockBytes} bytes`);
  if (blocks === 0) return problem('SIZE', 'its volume is empty');
  if (blocks * blockBytes > fileSizeBytes + PADDING_BYTES) {
    return damaged(`its volume of ${blocks * blockBytes} bytes lies beyond the end of the file`);
  }
  const rootStart = bothOrders32(descriptor, 156 + 2);
  const rootBytes = bothOrders32(descriptor, 156 + 10);
  if (rootStart === undefined || rootBytes === undefined) return damaged('its root directory is at two places');
  if (rootBytes === 0 || rootStart * blockBytes + rootBytes > fileSizeBytes) {
    return damaged('its root directory lies beyond the end of the file');
  }
  return undefined;
}

const damaged = (reason: string): ImageProblem => problem('HEADER', reason);

/** Numbers are written twice, in either order of bytes: two readers must not see two volumes. */
function bothOrders16(bytes: Buffer, offset: number): number | undefined {
  const value = bytes.readUInt16LE(offset);
  return bytes.readUInt16BE(offset + 2) === value ? value : undefined;
}

function bothOrders32(bytes: Buffer, offset: number): number | undefined {
  const value = bytes.readUInt32LE(offset);
  return bytes.readUInt32BE(offset + 4) === value ? value : undefined;
}
