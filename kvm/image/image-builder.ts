/** Test support: images built byte by byte, as QEMU or mkisofs would write them, to be spoilt at one place. */
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const CLUSTER_BYTES = 65_536;
export const SECTOR_BYTES = 2048;
const GIB = 1024 ** 3;

/** A file that is zero but for its pieces, so that a giant takes no space. */
export interface SparseFile {
  sizeBytes: number;
  /** In order; a later one covers an earlier one. */
  pieces: [offset: number, bytes: Buffer | string][];
}

export type NamedFile = [name: string, file: SparseFile];

export const raw = (sizeBytes: number, ...pieces: SparseFile['pieces']): SparseFile => ({ sizeBytes, pieces });

export const withPieces = (file: SparseFile, ...pieces: SparseFile['pieces']): SparseFile => ({
  ...file,
  pieces: [...file.pieces, ...pieces],
});

export const cutOff = ({ pieces }: SparseFile, sizeBytes: number): SparseFile => ({
  sizeBytes,
  pieces: pieces
    .filter(([offset]) => offset < sizeBytes)
    .map(([offset, bytes]) => [offset, bytes.slice(0, sizeBytes - offset)]),
});

export async function writeSparseFile(path: string, { sizeBytes, pieces }: SparseFile): Promise<void> {
  const file = await open(path, 'w', 0o644);
  try {
    for (const [offset, bytes] of pieces) await file.write(latin1(bytes), 0, undefined, offset);
  } finally {
    await file.close();
  }
  // Node itself stops at 2^53 bytes.
  await run('truncate', ['-s', String(BigInt(sizeBytes)), path]);
}

/** The first 64 KiB of a file that is not written. */
export function headOf({ sizeBytes, pieces }: SparseFile): Buffer {
  const head = Buffer.alloc(Math.min(sizeBytes, CLUSTER_BYTES));
  for (const [offset, bytes] of pieces) if (offset < head.length) latin1(bytes).copy(head, offset);
  return head;
}

const latin1 = (bytes: Buffer | string): Buffer => (typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);

/** Numbers by their offset, big-endian. */
export interface Fields {
  u32?: Record<number, number>;
  u64?: Record<number, bigint>;
}

export const QCOW2_TABLES = { refcountTable: CLUSTER_BYTES, refcounts: 2 * CLUSTER_BYTES, l1: 3 * CLUSTER_BYTES };

/** An empty disk of 1 GiB, version 3, in clusters of 64 KiB, with some fields of its header changed. */
export function qcow2(fields: Fields = {}, extensions: Buffer = Buffer.alloc(8)): SparseFile {
  const header = Buffer.alloc(112);
  write(header, {
    u32: { 0: 0x514649fb, 4: 3, 20: 16, 36: 2, 56: 1, 96: 4, 100: 112 },
    u64: { 24: BigInt(GIB), 40: BigInt(QCOW2_TABLES.l1), 48: BigInt(QCOW2_TABLES.refcountTable) },
  });
  write(header, fields);
  const isVersion3 = header.readUInt32BE(4) === 3;
  return {
    sizeBytes: 4 * CLUSTER_BYTES,
    pieces: [
      [0, isVersion3 ? header : header.subarray(0, 72)],
      [isVersion3 ? 112 : 72, extensions],
      [QCOW2_TABLES.refcountTable, u64(BigInt(QCOW2_TABLES.refcounts))],
      // Four clusters, each used once.
      [QCOW2_TABLES.refcounts, '\0\x01\0\x01\0\x01\0\x01'],
    ],
  };
}

/** A header extension of qcow2. */
export function extension(type: number, data: string, lengthBytes = data.length): Buffer {
  const bytes = Buffer.alloc(8 + Math.ceil(data.length / 8) * 8);
  write(bytes, { u32: { 0: type, 4: lengthBytes } });
  bytes.write(data, 8, 'latin1');
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function write(bytes: Buffer, { u32 = {}, u64: longs = {} }: Fields): void {
  for (const [offset, value] of Object.entries(u32)) bytes.writeUInt32BE(value, Number(offset));
  for (const [offset, value] of Object.entries(longs)) bytes.writeBigUInt64BE(value, Number(offset));
}

const ISO_SECTORS = 200;
const ROOT_SECTOR = 20;

/** What an ISO says of itself; a pair is what it says in little-endian and what in big-endian numbers. */
export interface IsoFields {
  version?: number;
  blocks?: number | [number, number];
  blockBytes?: number;
  rootSector?: number | [number, number];
  rootBytes?: number;
}

/** An ISO 9660 volume with an empty root directory. */
export function iso(fields: IsoFields = {}): SparseFile {
  const { version = 1, blocks = ISO_SECTORS, blockBytes = SECTOR_BYTES } = fields;
  const { rootSector = ROOT_SECTOR, rootBytes = SECTOR_BYTES } = fields;
  const primary = Buffer.alloc(SECTOR_BYTES);
  primary.write(`\x01CD001${String.fromCharCode(version)}`, 'latin1');
  both32(primary, 80, blocks);
  primary.writeUInt16LE(blockBytes, 128);
  primary.writeUInt16BE(blockBytes, 130);
  primary[156] = 34;
  both32(primary, 158, rootSector);
  both32(primary, 166, rootBytes);
  return {
    sizeBytes: ISO_SECTORS * SECTOR_BYTES,
    pieces: [
      [16 * SECTOR_BYTES, primary],
      [17 * SECTOR_BYTES, '\xffCD001\x01'],
    ],
  };
}

function both32(bytes: Buffer, offset: number, value: number | [number, number]): void {
  const [little, big] = typeof value === 'number' ? [value, value] : value;
  bytes.writeUInt32LE(little, offset);
  bytes.writeUInt32BE(big, offset + 4);
}

/** The first header of a tar archive, with or without the signature that old archives lack. */
export function tarHeader(name: string, magic = 'ustar\x0000'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000644\x000000000\x000000000\x0000000001000\x0014000000000\x00        0', 100, 'latin1');
  header.write(magic, 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** A master boot record with one partition. */
export function partitionTable(): SparseFile['pieces'] {
  return [
    [446, '\x80\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0'],
    [510, '\x55\xaa'],
  ];
}
