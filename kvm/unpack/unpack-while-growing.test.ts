import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { COMPRESSIONS, type Compression } from '../../shared/images.js';
import { mountObstacle, mountSmallFileSystem } from '../../tests/support/small-file-system.js';
import { itUnless } from '../../tests/support/unless.js';
import { spawnConfined } from '../confined/spawn-confined.js';
import { imageContent, KIB, MIB, pipe, TestDownload, UnpackBench } from './test-support.js';

let bench: UnpackBench;

beforeEach(async () => {
  bench = await UnpackBench.start();
});

afterEach(() => bench.stop());

const packers: Record<Compression, (content: Buffer) => Promise<Buffer>> = {
  gzip: (content) => pipe(content, 'gzip', '-c'),
  bzip2: (content) => pipe(content, 'bzip2', '-c'),
  xz: (content) => pipe(content, 'xz', '-1c'),
  zstd: (content) => pipe(content, 'zstd', '-qc'),
  // From a pipe: with a descriptor behind the data, and the sizes of zip64.
  zip: (content) => pipe(content, 'zip', '-q', '-', '-'),
};

describe.each(COMPRESSIONS)('%s', (compression) => {
  const pack = packers[compression];

  it('should be unpacked, with holes for zeros', async () => {
    const content = imageContent();
    expect(await bench.unpack(await pack(content))).toEqual({ compression, sizeBytes: content.length });
    expect((await bench.output()).equals(content)).toBe(true);
    const { blocks, mode } = await stat(bench.outputPath);
    // Where data meets a hole is within a block of 64 KiB, at each of its four ends at most.
    expect(blocks * 512).toBeLessThan(600 * KIB + 4 * 64 * KIB);
    expect(mode & 0o777).toBe(0o600);
  });

  it('should be unpacked while it grows, without a byte that may still change', async () => {
    const content = randomBytes(2 * MIB);
    const packed = await pack(content);
    const download = new TestDownload(bench.inputPath);
    let isHalfway = (): void => undefined;
    const halfway = new Promise<void>((resolve) => (isHalfway = resolve));
    const unpacking = bench.unpack(download, { onProgress: (bytes) => bytes > MIB / 2 && isHalfway() });
    download.grow(packed.subarray(0, 1));
    download.grow(packed.subarray(1, 1.5 * MIB));
    download.arriveEarly(packed.length);
    await Promise.race([halfway, unpacking]);
    download.grow(packed.subarray(1.5 * MIB));
    download.end();
    expect(await unpacking).toEqual({ compression, sizeBytes: content.length });
    expect((await bench.output()).equals(content)).toBe(true);
  });

  it('should be unpacked to nothing when it holds nothing', async () => {
    expect(await bench.unpack(await pack(Buffer.alloc(0)))).toEqual({ compression, sizeBytes: 0 });
    expect(await bench.output()).toHaveLength(0);
  });

  it('should be restored exactly, whatever it holds and however it arrives', async () => {
    const bytes = fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array));
    const zeros = fc.integer({ min: 1, max: 200 * KIB }).map((length) => Buffer.alloc(length));
    const contents = fc.array(fc.oneof(bytes, zeros), { maxLength: 6 }).map((pieces) => Buffer.concat(pieces));
    const steps = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(contents, steps, async (content, lengths) => {
        const packed = await pack(content);
        const download = new TestDownload(bench.inputPath);
        const unpacking = bench.unpack(download);
        for (let at = 0, step = 0; at < packed.length; step++) {
          const length = lengths[step % lengths.length] ?? 1;
          // Many small steps of one large file would show nothing more.
          const end = step > 20 ? packed.length : at + length;
          download.grow(packed.subarray(at, end));
          at = end;
          await new Promise((resolve) => setImmediate(resolve));
        }
        download.end();
        expect(await unpacking).toEqual({ compression, sizeBytes: content.length });
        expect((await bench.output()).equals(content)).toBe(true);
      }),
      { numRuns: 6 },
    );
  });

  it('should be refused when it is cut off, and leave nothing', async () => {
    const packed = await pack(randomBytes(200 * KIB));
    for (const bytes of [10, 100 * KIB, packed.length - 1]) {
      expect(await bench.failure(packed.subarray(0, bytes))).toMatchObject({ code: 'SLIPWAY_UNPACK_CORRUPT' });
      expect(existsSync(bench.outputPath)).toBe(false);
    }
  });

  it('should be refused when a byte of its data is another', async () => {
    const packed = await pack(randomBytes(200 * KIB));
    packed.writeUInt8(packed.readUInt8(100 * KIB) ^ 0x10, 100 * KIB);
    expect(await bench.failure(packed)).toMatchObject({ code: 'SLIPWAY_UNPACK_CORRUPT' });
    expect(existsSync(bench.outputPath)).toBe(false);
  });

  it.each([7, 3 * MIB])('should be refused when %d bytes follow it that are none of it', async (bytes) => {
    const packed = Buffer.concat([await pack(randomBytes(1000)), randomBytes(bytes)]);
    expect(await bench.failure(packed)).toMatchObject({ code: 'SLIPWAY_UNPACK_CORRUPT' });
  });

  it('should be refused when it begins right and goes on at random', async () => {
    const packed = Buffer.concat([(await pack(randomBytes(1000))).subarray(0, 6), randomBytes(200 * KIB)]);
    const { code, message } = await bench.failure(packed);
    // At random a zip member may be encrypted or a directory.
    expect(code).toMatch(
      compression === 'zip' ? /^SLIPWAY_(UNPACK_CORRUPT|UNPACK_MEMBERS|IMAGE_ENCRYPTED)$/ : 'CORRUPT',
    );
    expect(message).toMatch(/^[\x20-\x7e]+$/);
    expect(message).not.toContain(bench.directory);
  });

  it('should be refused when no program for it is installed', async () => {
    const failure = await bench.failure(await pack(imageContent()), {}, { searchPath: bench.directory });
    expect(failure.code).toBe('SLIPWAY_UNPACK_TOOL');
    expect(failure.message).toContain('install the package');
    expect(existsSync(bench.outputPath)).toBe(false);
  });

  it('should end when it is cancelled halfway, and leave nothing', async () => {
    const packed = await pack(randomBytes(2 * MIB));
    const download = new TestDownload(bench.inputPath);
    download.grow(packed.subarray(0, 1.5 * MIB));
    const controller = new AbortController();
    const onProgress = (bytes: number): void => {
      if (bytes > 0) controller.abort();
    };
    const unpacking = bench.unpack(download, { signal: controller.signal, onProgress });
    await expect(unpacking).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(bench.outputPath)).toBe(false);
  });

  itUnless(mountObstacle, 'should end when the pool is full, and leave nothing', async () => {
    const packed = await pack(randomBytes(4 * MIB));
    const pool = await mountSmallFileSystem(2 * MIB);
    try {
      const outputPath = join(pool.path, 'output');
      expect(await bench.failure(packed, { outputPath })).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
      expect(existsSync(outputPath)).toBe(false);
    } finally {
      await pool.remove();
    }
  });
});

it.each<Compression>(['gzip', 'bzip2', 'xz', 'zstd'])(
  'should take several members of %s for one image',
  async (name) => {
    const parts = [randomBytes(100 * KIB), Buffer.alloc(300 * KIB), randomBytes(10), Buffer.alloc(0), Buffer.alloc(70)];
    const packed = Buffer.concat(await Promise.all(parts.map((part) => packers[name](part))));
    const content = Buffer.concat(parts);
    expect(await bench.unpack(packed)).toEqual({ compression: name, sizeBytes: content.length });
    expect((await bench.output()).equals(content)).toBe(true);
  },
);

it('should pass over frames of zstd that hold no data, wherever they are', async () => {
  const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('note')]);
  const content = imageContent();
  const frame = await packers.zstd(content);
  expect(await bench.unpack(Buffer.concat([skippable, frame, skippable]))).toMatchObject({ compression: 'zstd' });
  expect((await bench.output()).equals(content)).toBe(true);
});

it.each<[name: string, compression: Compression, fallback: string]>([
  ['pigz', 'gzip', 'gzip'],
  ['pigz, for a zip file', 'zip', 'gzip'],
  ['lbzip2', 'bzip2', 'bzip2'],
])('should do without %s', async (_name, compression, fallback) => {
  const searchPath = join(bench.directory, 'bin');
  await mkdir(searchPath);
  const content = imageContent();
  const spawned: string[] = [];
  for (const program of [fallback, 'dd']) await symlink(`/usr/bin/${program}`, join(searchPath, program));
  const unpacked = await bench.unpack(
    await packers[compression](content),
    {},
    {
      searchPath,
      spawn: (program, args, confinement) => {
        spawned.push(program);
        // Confined programs do not see this directory.
        return spawnConfined(program.replace(searchPath, '/usr/bin'), args, confinement);
      },
    },
  );
  expect(spawned).toEqual([join(searchPath, fallback), join(searchPath, 'dd')]);
  expect(unpacked).toEqual({ compression, sizeBytes: content.length });
  expect((await bench.output()).equals(content)).toBe(true);
});

it('should say so when a program is there and cannot be run', async () => {
  const searchPath = join(bench.directory, 'bin');
  await mkdir(searchPath);
  for (const program of ['zstd', 'dd']) {
    await writeFile(join(searchPath, program), '#!/bin/sh\n');
    await chmod(join(searchPath, program), 0o755);
  }
  // Confined programs do not see this directory.
  expect(await bench.failure(await packers.zstd(imageContent()), {}, { searchPath })).toMatchObject({
    code: 'SLIPWAY_UNPACK_TOOL',
  });
});

it.each([
  ['a file that is not packed', randomBytes(100).fill('Q', 0, 6)],
  ['a short file', Buffer.from([0x1f, 0x8b])],
  ['an empty file', Buffer.alloc(0)],
])('should leave %s alone', async (_name, content) => {
  expect(await bench.unpack(content)).toBeUndefined();
  expect(existsSync(bench.outputPath)).toBe(false);
});

it('should replace what an earlier try left, and write through no link', async () => {
  const elsewhere = join(bench.directory, 'elsewhere');
  await writeFile(elsewhere, 'precious');
  await symlink(elsewhere, bench.outputPath);
  await bench.unpack(gzipSync('content'));
  expect((await bench.output()).toString()).toBe('content');
  expect((await stat(elsewhere)).size).toBe('precious'.length);
});

it('should not begin when it is cancelled already', async () => {
  const signal = AbortSignal.abort();
  await expect(bench.unpack(gzipSync('content'), { signal })).rejects.toMatchObject({ name: 'AbortError' });
  expect(existsSync(bench.outputPath)).toBe(false);
});
