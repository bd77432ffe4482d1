import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { COMPRESSIONS } from '../../shared/images.js';
import { KIB, MIB, peakMemoryBytes, pipe, UnpackBench, zipFile } from './test-support.js';

let bench: UnpackBench;

beforeEach(async () => {
  bench = await UnpackBench.start();
});

afterEach(async () => {
  expect(existsSync(bench.outputPath)).toBe(false);
  await bench.stop();
});

const PART_BYTES = 16 * MIB;
const PARTS = 640;
const ALL_BYTES = PARTS * PART_BYTES;

const repeat = (part: Buffer, times = PARTS): Buffer => Buffer.concat(Array.from({ length: times }, () => part));

/** Deflated data without an end. */
const endless = (content: Buffer): Buffer => deflateRawSync(content, { finishFlush: constants.Z_FULL_FLUSH });

/** 10 GiB of a byte, made without making them. */
const bombs: Record<(typeof COMPRESSIONS)[number], (part: Buffer) => Promise<Buffer>> = {
  gzip: async (part) => repeat(await pipe(part, 'gzip', '-c')),
  bzip2: async (part) => repeat(await pipe(part, 'lbzip2', '-c')),
  xz: async (part) => repeat(await pipe(part, 'xz', '-1c')),
  zstd: async (part) => repeat(await pipe(part, 'zstd', '-qc')),
  zip: async (part) => {
    const packed = Buffer.concat([repeat(endless(part)), deflateRawSync(Buffer.alloc(0))]);
    const directory = { unpackedBytes: 0xfffffffe };
    return zipFile([{ name: 'image', content: Buffer.alloc(0), packed, flags: 8, directory }], { gap: 'descriptor..' });
  },
};

describe.each(COMPRESSIONS)('a bomb in %s', (compression) => {
  it.each([
    ['zeros', 0],
    ['what is no zero', 0x41],
  ])('should be ended in little memory when it is of %s', async (_name, byte) => {
    const bomb = await bombs[compression](Buffer.alloc(PART_BYTES, byte));
    let unpackedBytes = 0;
    const onProgress = (bytes: number): void => void (unpackedBytes = bytes);
    let failure: unknown;
    const memoryBytes = await peakMemoryBytes(async () => {
      failure = await bench.failure(bomb, { onProgress });
    });
    expect(failure).toMatchObject({ code: 'SLIPWAY_UNPACK_RATIO' });
    expect(unpackedBytes).toBeLessThan(ALL_BYTES / 2);
    expect(memoryBytes).toBeLessThan(256 * MIB);
  });

  it.each([
    ['of zeros', Buffer.alloc(12 * MIB)],
    ['of anything', randomBytes(12 * MIB)],
  ])('should be ended at the largest size, be it %s', async (_name, content) => {
    const packers = { gzip: ['gzip', '-1c'], bzip2: ['lbzip2', '-c'], xz: ['xz', '-0c'], zstd: ['zstd', '-qc'] };
    const [program = '', ...args] = compression === 'zip' ? ['zip', '-q1', '-', '-'] : packers[compression];
    const limits = { maxOutputBytes: 4 * MIB };
    expect(await bench.failure(await pipe(content, program, ...args), { limits })).toMatchObject({
      code: 'SLIPWAY_UNPACK_TOO_LARGE',
    });
  });

  it('should be ended when it is packed twice', async () => {
    const inner = await bombs[compression](Buffer.alloc(KIB));
    expect(await bench.failure(gzipSync(inner))).toMatchObject({
      code: 'SLIPWAY_UNPACK_NESTED',
      message: `What is packed is a ${compression} file again`,
    });
  });
});

it('should end one packed twice that is still small', async () => {
  const inner = gzipSync(Buffer.alloc(0));
  expect(await bench.failure(await pipe(inner, 'zstd', '-qc'))).toMatchObject({ code: 'SLIPWAY_UNPACK_NESTED' });
});

/** Says that its dictionary is of 4 GiB less a byte. */
async function hugeDictionary(): Promise<Buffer> {
  const packed = await pipe(randomBytes(KIB), 'xz', '-c', '--threads=1');
  // Of the first block: its only filter's only property, and the checksum of its header (the .xz file format, 3.1).
  packed.writeUInt8(40, 16);
  packed.writeUInt32LE(crc32(packed.subarray(12, 20)), 20);
  return packed;
}

/** Says that its window is of 2 GiB (RFC 8878, 3.1.1.1.2). */
const hugeWindow = Buffer.concat([Buffer.from('28b52ffd00a8', 'hex'), Buffer.from('010000', 'hex')]);

it.each([
  ['a dictionary of xz', hugeDictionary],
  ['a window of zstd', () => Promise.resolve(hugeWindow)],
])('should not give all memory to %s', async (_name, make) => {
  const { code, message } = await bench.failure(await make());
  expect(code).toBe('SLIPWAY_UNPACK_CORRUPT');
  expect(message).toContain('memory');
});
