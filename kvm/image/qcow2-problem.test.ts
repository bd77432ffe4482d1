import { extension, headOf, qcow2, type SparseFile } from './image-builder.js';
import { parseQcow2Header } from './qcow2-header.js';
import { qcow2Problem } from './qcow2-problem.js';

const LIMIT_BYTES = 16 * 1024 ** 4;

function reasonOf(file: SparseFile): string | undefined {
  const header = parseQcow2Header(headOf(file));
  return 'code' in header ? header.reason : qcow2Problem(header, file.sizeBytes, LIMIT_BYTES)?.reason;
}

test.each<[string, SparseFile]>([
  ['version 3', qcow2()],
  ['version 2', qcow2({ u32: { 4: 2 } })],
  ['a header of 104 bytes', qcow2({ u32: { 100: 104 } })],
  ['the dirty bit', qcow2({ u64: { 72: 1n } })],
  ['lazy refcounts', qcow2({ u64: { 80: 1n } })],
  ['compatible features nobody knows', qcow2({ u64: { 80: 1n << 63n } })],
  ['zstd compression', qcow2({ u32: { 104: 0x01000000 }, u64: { 72: 8n } })],
  ['subclusters', qcow2({ u32: { 36: 4 }, u64: { 72: 16n } })],
  ['refcounts of 64 bits', qcow2({ u32: { 96: 6 } })],
  ['feature names', qcow2({}, Buffer.concat([extension(0x6803f857, 'names'), Buffer.alloc(8)]))],
  ['an extension nobody knows', qcow2({}, Buffer.concat([extension(0x12345678, 'whatever'), Buffer.alloc(8)]))],
  ['bitmaps out of force', qcow2({}, Buffer.concat([extension(0x23852875, '\0'.repeat(24)), Buffer.alloc(8)]))],
  ['the length of a backing file that it does not have', qcow2({ u32: { 16: 11 } })],
])('should find nothing wrong with %s', (_name, file) => {
  expect(reasonOf(file)).toBeUndefined();
});

// That each is refused, and with which code, is shown by the corpus of hostile images.
test.each<[string, SparseFile, string]>([
  ['clusters', qcow2({ u32: { 20: 22 } }), 'its cluster_bits is 22, not between 9 and 21'],
  ['the header', qcow2({ u32: { 100: 109 } }), 'its header_length is 109'],
  ['features', qcow2({ u64: { 72: 1n << 40n } }), 'it needs unknown features (0x10000000000)'],
  [
    'the disk',
    qcow2({ u64: { 24: 1n << 50n } }),
    'its virtual size of 1125899906842624 bytes is more than the 17592186044416 allowed',
  ],
  ['a table', qcow2({ u64: { 40: 1n << 40n } }), 'its L1 table lies beyond the end of the file'],
])('should say what is wrong with %s', (_name, file, reason) => {
  expect(reasonOf(file)).toBe(reason);
});
