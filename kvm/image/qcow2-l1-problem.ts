import { problem, type ImageProblem } from './image-problem.js';
import type { Qcow2Header } from './qcow2-header.js';

const ENTRY_BYTES = 8;
const CHUNK_BYTES = 1024 ** 2;
const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;
/** Bits 0 to 8 and 56 to 62: a later version may mean something by them. */
const RESERVED_MASK = 0x7f00_0000_0000_01ffn;

/** Reads from the file; fewer bytes than asked for at its end. */
export type ReadAt = (offset: number, lengthBytes: number) => Promise<Buffer>;

/**
 * Why the L1 table of a header that `qcow2Problem` found nothing in must not be followed: each of its entries has to
 * point at a cluster of the file.
 */
export async function qcow2L1Problem(
  header: Qcow2Header,
  fileSizeBytes: number,
  readAt: ReadAt,
): Promise<ImageProblem | undefined> {
  const tableBytes = header.l1Entries * ENTRY_BYTES;
  for (let position = 0; position < tableBytes; position += CHUNK_BYTES) {
    const lengthBytes = Math.min(CHUNK_BYTES, tableBytes - position);
    const chunk = await readAt(header.l1TableOffset + position, lengthBytes);
    if (chunk.length < lengthBytes) return damaged('its L1 table lies beyond the end of the file');
    const reason = entriesProblem(chunk, header, fileSizeBytes);
    if (reason) return damaged(reason);
  }
  return undefined;
}

function entriesProblem(entries: Buffer, header: Qcow2Header, fileSizeBytes: number): string | undefined {
  const clusterBytes = 2 ** header.clusterBits;
  const clusterMask = BigInt(clusterBytes - 1);
  const end = BigInt(fileSizeBytes);
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const entry = entries.readBigUInt64BE(at);
    if (entry === 0n) continue;
    const offset = entry & OFFSET_MASK;
    if (entry & RESERVED_MASK) return 'an entry of its L1 table uses reserved bits';
    if (offset & clusterMask) return 'an entry of its L1 table is not aligned to a cluster';
    if (offset >= end) return 'an entry of its L1 table points beyond the end of the file';
    if (Number(offset) === header.l1TableOffset) return 'an entry of its L1 table points at the table itself';
  }
  return undefined;
}

const damaged = (reason: string): ImageProblem => problem('HEADER', reason);
