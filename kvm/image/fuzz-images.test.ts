import fc from 'fast-check';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { contentMarks, HEAD_BYTES, TAIL_BYTES } from './content-marks.js';
import { formatProblem } from './format-problem.js';
import { iso, writeSparseFile } from './image-builder.js';
import { inspectImage } from './inspect-image.js';
import { isoProblem } from './iso-problem.js';
import { parseQcow2Header } from './qcow2-header.js';
import { qcow2Problem } from './qcow2-problem.js';
import { readWithQemuImg, runQemuImg } from './qemu-img.js';

let directory: string;
const images = {} as Record<'QCOW2' | 'ISO', Buffer>;

beforeAll(async () => {
  directory = await mkdtemp('/dev/shm/slipway-fuzz-');
  const path = join(directory, 'original');
  await runQemuImg(['create', '-q', '-f', 'qcow2', path, '8M']);
  images.QCOW2 = await readFile(path);
  await writeSparseFile(path, iso());
  images.ISO = await readFile(path);
});

afterAll(() => rm(directory, { recursive: true }));

interface Mutation {
  offset: number;
  bytes: Uint8Array;
}

const number = fc.oneof(
  fc.constantFrom(0, 1, 2, 4, 9, 16, 21, 22, 31, 0x7fff, 0xffff, 0x10000, 0x30000, 0x7fffffff, 0xffffffff),
  fc.nat(0xffffffff),
);
const word = number.map((value) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]));
const bytes = fc.oneof(word, fc.uint8Array({ minLength: 1, maxLength: 16 }));
const signature = fc.constantFrom('QFI\xfb', 'KDMV', 'conectix', 'CD001', 'BEA01', 'ustar', '\x55\xaa', 'version=1\n');

/** Where a field of a header may begin: of qcow2, of its tables, of the volume descriptors of an ISO. */
const offset = fc.oneof(
  fc.nat(30).map((index) => index * 4),
  fc.nat(600),
  fc.nat(64).map((index) => 0x10000 + index * 8),
  fc.nat(8).map((index) => 0x30000 + index * 8),
  fc.nat(200).map((index) => 0x8000 + index),
  fc.nat(200 * 1024),
);

const mutation: fc.Arbitrary<Mutation> = fc.record({
  offset,
  bytes: fc.oneof(
    { weight: 9, arbitrary: bytes },
    signature.map((text) => Buffer.from(text, 'latin1')),
  ),
});
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
const cut = fc.option(fc.nat(210 * 1024), { freq: 8 });
const format = fc.constantFrom('QCOW2' as const, 'ISO' as const);

function spoil(original: Buffer, changes: readonly Mutation[], length: number | null): Buffer {
  const image = Buffer.from(original);
  for (const change of changes)
    image.set(
      change.bytes.subarray(0, Math.max(0, image.length - change.offset)),
      Math.min(change.offset, image.length),
    );
  return length === null ? image : image.subarray(0, length);
}

function judge(image: Buffer, as: ImageFormat): unknown {
  const head = image.subarray(0, HEAD_BYTES);
  const wrong = formatProblem(contentMarks(head, image.subarray(-TAIL_BYTES)), head, as);
  if (wrong || as === 'RAW') return wrong;
  if (as === 'ISO') return isoProblem(head, image.length);
  const header = parseQcow2Header(head);
  return 'code' in header ? header : qcow2Problem(header, image.length, 2 ** 44);
}

test('should find a reason or none in whatever bytes, and never fail', () => {
  fc.assert(
    fc.property(
      format,
      mutations,
      cut,
      fc.constantFrom<ImageFormat>('QCOW2', 'RAW', 'ISO'),
      (from, changes, length, as) => {
        const found = judge(spoil(images[from], changes, length), as);
        expect(found === undefined || typeof found === 'object').toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

interface Info {
  format: string;
  'backing-filename'?: string;
  'format-specific'?: { data: { 'data-file'?: string } };
}

test('should accept only what QEMU, left to guess, takes for the same and reads alone', async () => {
  const path = join(directory, 'spoilt');
  await fc.assert(
    fc.asyncProperty(format, mutations, cut, async (as, changes, length) => {
      await writeFile(path, spoil(images[as], changes, length), { mode: 0o644 });
      const outcome = await inspectImage(path, as).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(isSlipwayError(outcome) && outcome.code).toMatch(/^SLIPWAY_IMAGE_/);
        return;
      }
      const file = await open(path, 'r');
      try {
        const json = await readWithQemuImg(['info', '--output=json', '/proc/self/fd/3'], {
          fileDescriptor: file.fd,
          isPrivate: false,
        });
        const info = JSON.parse(json) as Info;
        expect(info.format).toBe(as === 'QCOW2' ? 'qcow2' : 'raw');
        expect(info['backing-filename']).toBeUndefined();
        expect(info['format-specific']?.data['data-file']).toBeUndefined();
      } finally {
        await file.close();
      }
    }),
    // FUZZ_RUNS=3000 for a long search.
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 10) },
  );
});
