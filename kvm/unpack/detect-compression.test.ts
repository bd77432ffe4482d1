import { gzipSync } from 'node:zlib';
import { detectCompression, MAGIC_BYTES } from './detect-compression.js';
import { pipe, zipFile } from './test-support.js';

const content = Buffer.from('content');

it.each([
  ['gzip', () => gzipSync(content)],
  ['gzip', () => pipe(content, 'pigz', '-c')],
  ['bzip2', () => pipe(content, 'bzip2', '-c')],
  ['bzip2', () => pipe(Buffer.alloc(0), 'bzip2', '-c', '-1')],
  ['xz', () => pipe(content, 'xz', '-c')],
  ['zstd', () => pipe(content, 'zstd', '-qc')],
  ['zstd', () => Buffer.from('5f2a4d1800000000', 'hex')],
  ['zip', () => zipFile([{ name: 'image', content }])],
  ['zip', () => zipFile([])],
  ['zip', () => Buffer.from('PK\x07\x08PK\x03\x04')],
])('should know %s by its first bytes', async (compression, make) => {
  expect(detectCompression((await make()).subarray(0, MAGIC_BYTES))).toBe(compression);
});

it.each([
  ['nothing', ''],
  ['a qcow2 image', 'QFI\xfb\0\0'],
  ['zeros', '\0\0\0\0\0\0'],
  ['the beginning of a magic', '\x1f\x8b'],
  ['a magic of five bytes of six', '\xfd7zXZ'],
  ['a magic further in', '\0\x1f\x8b\x08'],
  ['compress', '\x1f\x9d\x90\0\0\0'],
  ['bzip2 with no size', 'BZhA'],
  ['gzip with another method', '\x1f\x8b\x07\0\0\0'],
])('should take %s for not packed', (_name, head) => {
  expect(detectCompression(Buffer.from(head, 'latin1'))).toBeUndefined();
});
