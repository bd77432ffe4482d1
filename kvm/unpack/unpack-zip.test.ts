import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { imageContent, KIB, MIB, TestDownload, UnpackBench, zipFile } from './test-support.js';

const run = promisify(execFile);
let bench: UnpackBench;

beforeEach(async () => {
  bench = await UnpackBench.start();
});

afterEach(() => bench.stop());

/** A zip file of files of these names, made by `zip`. */
async function zip(names: string[], ...options: string[]): Promise<Buffer> {
  const cwd = join(bench.directory, 'members');
  await mkdir(join(cwd, '__MACOSX'), { recursive: true });
  await mkdir(join(cwd, 'folder'));
  for (const name of names.filter((each) => !each.startsWith('folder'))) {
    await writeFile(join(cwd, name), imageContent());
  }
  await run('zip', ['-q', ...options, '../members.zip', ...names], { cwd });
  return await readFile(join(bench.directory, 'members.zip'));
}

it.each([
  ['deflated', []],
  ['stored', ['-0']],
  ['deflated, with zip64', ['-fz']],
  ['stored, with zip64 and a descriptor', ['-0', '-fz', '-fd']],
  ['deflated, without extra fields', ['-X']],
])('should unpack a member that is %s', async (_name, options) => {
  const packed = await zip(['image'], ...options);
  const content = await readFile(join(bench.directory, 'members', 'image'));
  expect(await bench.unpack(packed)).toEqual({ compression: 'zip', sizeBytes: content.length });
  expect((await bench.output()).equals(content)).toBe(true);
});

it('should unpack a member in a folder, of which it has no entry, as bsdtar makes it', async () => {
  const content = imageContent();
  await mkdir(join(bench.directory, 'folder'));
  await writeFile(join(bench.directory, 'folder', 'image'), content);
  await run('bsdtar', ['--format', 'zip', '-cf', 'folder.zip', 'folder/image'], { cwd: bench.directory });
  const packed = await readFile(join(bench.directory, 'folder.zip'));
  expect(await bench.unpack(packed)).toEqual({ compression: 'zip', sizeBytes: content.length });
  expect((await bench.output()).equals(content)).toBe(true);
});

it('should unpack a stored member while it grows', async () => {
  const content = randomBytes(MIB);
  const packed = zipFile([{ name: 'image', content, method: 0, packed: content }], { comment: 'a comment' });
  const download = new TestDownload(bench.inputPath);
  const unpacking = bench.unpack(download);
  for (let at = 0; at < packed.length; at += 70_001) {
    download.grow(packed.subarray(at, at + 70_001));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  download.end();
  expect(await unpacking).toEqual({ compression: 'zip', sizeBytes: content.length });
  expect((await bench.output()).equals(content)).toBe(true);
});

it.each([
  ['two files', ['image', 'other'], []],
  ['two files of unknown sizes', ['image', 'other'], ['-fd']],
  ['a file and what macOS adds', ['image', '__MACOSX/._image'], []],
  ['a directory', ['folder/'], []],
  ['a directory and a file', ['folder/', 'image'], []],
])('should refuse a zip file of %s', async (_name, names, options) => {
  expect(await bench.failure(await zip(names, ...options))).toMatchObject({ code: 'SLIPWAY_UNPACK_MEMBERS' });
  expect(existsSync(bench.outputPath)).toBe(false);
});

it('should refuse one of two files that only turns out to be so at its end', async () => {
  const packed = await zip(['image', 'other'], '-fd');
  const download = new TestDownload(bench.inputPath);
  const failure = bench.failure(download);
  download.grow(packed.subarray(0, 700 * KIB));
  setTimeout(() => {
    download.grow(packed.subarray(700 * KIB));
    download.end();
  }, 300);
  expect(await failure).toMatchObject({ code: 'SLIPWAY_UNPACK_MEMBERS' });
});

it('should refuse an encrypted member', async () => {
  expect(await bench.failure(await zip(['image'], '-P', 'secret'))).toMatchObject({ code: 'SLIPWAY_IMAGE_ENCRYPTED' });
});

const content = randomBytes(2000);
const image = { name: 'image', content };
const packedBytes = deflateRawSync(content).length;

/** 100 entries that share one member, as in a bomb without recursion. */
const overlapping = Array.from({ length: 100 }, (_none, index) =>
  index === 0
    ? image
    : { ...image, name: `image${index}`, packed: Buffer.alloc(0), directory: { offset: 0, packedBytes } },
);

it.each<[string, Buffer, string]>([
  ['no member', zipFile([]), 'SLIPWAY_UNPACK_MEMBERS'],
  ['overlapping members', zipFile(overlapping), 'SLIPWAY_UNPACK_MEMBERS'],
  ['bytes of no member', zipFile([image], { gap: 'gap' }), 'SLIPWAY_UNPACK_MEMBERS'],
  ['a directory of another name', zipFile([{ ...image, directory: { name: 'imagE' } }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['a directory of another checksum', zipFile([{ ...image, directory: { crc32: 1 } }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['a directory of another size', zipFile([{ ...image, directory: { unpackedBytes: 1 } }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['a directory of another length', zipFile([{ ...image, directory: { packedBytes: 1 } }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['a directory of a member elsewhere', zipFile([{ ...image, directory: { offset: 1 } }]), 'SLIPWAY_UNPACK_CORRUPT'],
  [
    'the huge size of a descriptor',
    zipFile([{ ...image, flags: 8, directory: { unpackedBytes: 0xffffffff } }], { gap: 'descriptor..' }),
    'SLIPWAY_UNPACK_CORRUPT',
  ],
  ['another compression', zipFile([{ ...image, method: 14 }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['stored bytes that are called deflated', zipFile([{ ...image, packed: content }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['deflated bytes that are called stored', zipFile([{ ...image, method: 0 }]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['more behind its end', Buffer.concat([zipFile([image]), Buffer.from('more')]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['no directory', zipFile([image]).subarray(0, 1000), 'SLIPWAY_UNPACK_CORRUPT'],
  ['a part of it only', Buffer.concat([Buffer.from('PK\x07\x08'), zipFile([image])]), 'SLIPWAY_UNPACK_CORRUPT'],
  ['half a header', zipFile([image]).subarray(0, 20), 'SLIPWAY_UNPACK_CORRUPT'],
])('should refuse a zip file with %s', async (_name, packed, code) => {
  expect(await bench.failure(packed)).toMatchObject({ code });
  expect(existsSync(bench.outputPath)).toBe(false);
});
