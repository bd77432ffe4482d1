import { parseQcow2Header, qcow2Problem } from './qcow2-header.js';

const CLUSTER_BYTES = 65_536;
const FILE_BYTES = 4 * CLUSTER_BYTES;
const GIB = 1024 ** 3;
const LIMIT_BYTES = 64 * 1024 ** 4;

interface Patch {
  u32?: Record<number, number>;
  u64?: Record<number, bigint>;
}

/** A header that QEMU itself would write for an empty disk of 1 GiB, changed at the given offsets. */
function header({ u32 = {}, u64 = {} }: Patch = {}, extensions: Buffer = Buffer.alloc(8)): Buffer {
  const bytes = Buffer.alloc(CLUSTER_BYTES);
  const words = { 0: 0x514649fb, 4: 3, 20: 16, 36: 2, 56: 1, 96: 4, 100: 112, ...u32 };
  const longs = { 24: BigInt(GIB), 40: 196_608n, 48: 65_536n, ...u64 };
  for (const [offset, value] of Object.entries(words)) bytes.writeUInt32BE(value, Number(offset));
  for (const [offset, value] of Object.entries(longs)) bytes.writeBigUInt64BE(value, Number(offset));
  extensions.copy(bytes, bytes.readUInt32BE(4) === 3 ? 112 : 72);
  return bytes;
}

function extension(type: number, data: string): Buffer {
  const bytes = Buffer.alloc(8 + Math.ceil(data.length / 8) * 8);
  bytes.writeUInt32BE(type, 0);
  bytes.writeUInt32BE(data.length, 4);
  bytes.write(data, 8);
  return bytes;
}

function problemOf(bytes: Buffer, fileSizeBytes = FILE_BYTES): string | undefined {
  const parsed = parseQcow2Header(bytes);
  return 'problem' in parsed ? parsed.problem : qcow2Problem(parsed, fileSizeBytes, LIMIT_BYTES);
}

test.each<[string, Buffer]>([
  ['version 3', header()],
  ['version 2', header({ u32: { 4: 2, 96: 0, 100: 0 } })],
  ['the dirty bit', header({ u64: { 72: 1n } })],
  ['feature names', header({}, extension(0x6803f857, 'names'))],
  ['an extension nobody knows', header({}, extension(0x12345678, 'whatever'))],
])('should accept an image with %s', (_name, bytes) => {
  expect(problemOf(bytes)).toBeUndefined();
});

test.each<[string, Buffer, RegExp]>([
  ['another signature', header({ u32: { 0: 0x4b444d56 } }), /signature/],
  ['version 1', header({ u32: { 4: 1 } }), /version 1/],
  ['version 4', header({ u32: { 4: 4 } }), /version 4/],
  ['clusters of 256 bytes', header({ u32: { 20: 8 } }), /cluster_bits is 8/],
  ['clusters of 4 MiB', header({ u32: { 20: 22 } }), /cluster_bits is 22/],
  ['a short header_length', header({ u32: { 100: 96 } }), /header_length is 96/],
  ['an uneven header_length', header({ u32: { 100: 109 } }), /header_length is 109/],
  ['a header longer than a cluster', header({ u32: { 100: 0x20000 } }), /longer than a cluster/],
  ['a backing file', header({ u64: { 8: 1024n }, u32: { 16: 11 } }), /backing file/],
  ['a backing file whose name is empty', header({ u64: { 8: 1024n } }), /backing file/],
  ['the external data bit', header({ u64: { 72: 4n } }), /external file/],
  ['the name of an external data file', header({}, extension(0x44415441, '/etc/shadow')), /external file/],
  ['the corrupt bit', header({ u64: { 72: 2n } }), /corrupt/],
  ['an unknown feature', header({ u64: { 72: 1n << 40n } }), /unknown features \(0x10000000000\)/],
  ['AES encryption', header({ u32: { 32: 1 } }), /encrypted/],
  ['a LUKS header', header({}, extension(0x0537be77, '0123456789abcdef')), /encrypted/],
  ['internal snapshots', header({ u32: { 60: 1 } }), /snapshots/],
  ['a compression type without its bit', header({ u32: { 104: 0x01000000 } }), /contradicts/],
  ['an unknown compression type', header({ u32: { 104: 0x07000000 }, u64: { 72: 8n } }), /compression type 7/],
  ['a refcount_order of 7', header({ u32: { 96: 7 } }), /refcount_order/],
  ['no virtual size', header({ u64: { 24: 0n } }), /virtual size is 0/],
  ['a virtual size of 8 EiB', header({ u64: { 24: 1n << 63n } }), /more than/],
  ['an L1 table of 32 GiB', header({ u32: { 36: 0xffffffff } }), /L1 table is too large/],
  ['an L1 table too small', header({ u32: { 36: 1 } }), /L1 table is too small/],
  ['an unaligned L1 table', header({ u64: { 40: 196_609n } }), /L1 table is not aligned/],
  ['an L1 table over the header', header({ u64: { 40: 0n } }), /L1 table overlaps/],
  ['an L1 table beyond the end', header({ u64: { 40: 1n << 40n } }), /L1 table lies beyond/],
  ['no refcount table', header({ u32: { 56: 0 } }), /no refcount table/],
  ['a refcount table of 64 MiB', header({ u32: { 56: 1024 } }), /refcount table is too large/],
  ['a refcount table beyond the end', header({ u64: { 48: 1n << 40n } }), /refcount table lies beyond/],
  ['an extension without end', header({}, extension(0x6803f857, '').fill(0xff, 4, 8)), /beyond the first cluster/],
])('should refuse an image with %s', (_name, bytes, reason) => {
  expect(problemOf(bytes)).toMatch(reason);
});

test('should refuse an image that was cut off before its tables', () => {
  expect(problemOf(header(), CLUSTER_BYTES + 10)).toMatch(/beyond the end of the file/);
});

test.each([0, 71, 80])('should refuse a file of %d bytes', (length) => {
  expect(problemOf(header().subarray(0, length))).toMatch(/shorter than a qcow2 header/);
});
