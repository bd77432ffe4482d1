import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageFormat } from '../../shared/images.js';
import { CLUSTER_BYTES, qcow2, QCOW2_TABLES, u64, withPieces, writeSparseFile } from './image-builder.js';
import { inspectImage } from './inspect-image.js';
import { runQemuImg } from './qemu-img.js';

const run = promisify(execFile);

const MIB = 1024 ** 2;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-image-'));
});

afterEach(() => rm(directory, { recursive: true }));

async function image(format: string, options: string[] = [], size = '8M'): Promise<string> {
  const path = join(directory, 'image');
  await runQemuImg(['create', '-q', '-f', format, ...options, path, size]);
  return path;
}

async function patch(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

const refusal = (path: string, format: ImageFormat): Promise<unknown> =>
  inspectImage(path, format).catch((error: unknown) => error);

const refusedBecause = (kind: string, reason: string): unknown =>
  expect.objectContaining({
    code: `SLIPWAY_IMAGE_${kind}`,
    message: expect.stringMatching(`^The file is refused as \\w+ image: .*${reason}`) as string,
  });

test.each([
  ['version 3', []],
  ['version 2', ['-o', 'compat=0.10']],
  ['zstd compression', ['-o', 'compression_type=zstd']],
  ['subclusters', ['-o', 'extended_l2=on,cluster_size=128k']],
  ['clusters of 2 MiB', ['-o', 'cluster_size=2M']],
  ['lazy refcounts', ['-o', 'lazy_refcounts=on']],
  ['clusters of 512 bytes', ['-o', 'cluster_size=512']],
  ['all tables in place', ['-o', 'preallocation=metadata']],
])('should accept a qcow2 that QEMU made with %s', async (_name, options) => {
  const inspection = await inspectImage(await image('qcow2', options), 'QCOW2');
  expect(inspection).toEqual({ format: 'QCOW2', virtualSizeBytes: 8 * MIB, physicalSizeBytes: expect.any(Number) });
});

test('should accept the largest table that is allowed, with the little memory there is', async () => {
  const path = join(directory, 'image');
  const l1Entries = 2 ** 22;
  const clusters = { u32: { 20: 9, 36: l1Entries }, u64: { 24: 2n ** 37n } };
  const entries = Buffer.alloc(l1Entries * 8).fill(u64(BigInt(2 * CLUSTER_BYTES)));
  const file = withPieces(qcow2(clusters), [QCOW2_TABLES.l1, entries]);
  await writeSparseFile(path, { ...file, sizeBytes: QCOW2_TABLES.l1 + entries.length });
  expect(await inspectImage(path, 'QCOW2')).toMatchObject({ virtualSizeBytes: 2 ** 37 });
});

test('should accept a qcow2 with compressed data', async () => {
  const raw = join(directory, 'raw');
  const path = join(directory, 'image');
  await writeFile(raw, Buffer.alloc(3 * MIB, 'slipway'));
  await runQemuImg(['convert', '-c', '-f', 'raw', '-O', 'qcow2', raw, path]);
  expect(await inspectImage(path, 'QCOW2')).toMatchObject({ virtualSizeBytes: 3 * MIB });
});

test.each([
  ['with Rock Ridge and Joliet', 'genisoimage', ['-quiet', '-R', '-J']],
  ['that is UDF as well', 'genisoimage', ['-quiet', '-udf']],
  [
    'that boots from a stick',
    'xorriso',
    ['-as', 'mkisofs', '-quiet', '-append_partition', '2', '0xef', join(import.meta.dirname, 'inspect-image.ts')],
  ],
])('should accept an ISO %s', async (_name, program, options) => {
  const path = join(directory, 'image');
  await run(program, [...options, '-o', path, import.meta.dirname]);
  const { size } = await stat(path);
  expect(await inspectImage(path, 'ISO')).toEqual({ format: 'ISO', virtualSizeBytes: size, physicalSizeBytes: size });
  expect(await refusal(path, 'RAW')).toEqual(refusedBecause('FORMAT', 'it is an ISO image'));
});

test('should accept a raw disk and round its size up to whole sectors', async () => {
  const path = join(directory, 'raw');
  await writeFile(path, Buffer.alloc(1000, 1));
  expect(await inspectImage(path, 'RAW')).toEqual({ format: 'RAW', virtualSizeBytes: 1024, physicalSizeBytes: 1000 });
});

test.each([0o600, 0o644])('should read a file of mode %o below a directory closed to others', async (mode) => {
  const path = await image('qcow2');
  await chmod(path, mode);
  await chmod(directory, 0o700);
  expect(await inspectImage(path, 'QCOW2')).toMatchObject({ virtualSizeBytes: 8 * MIB });
});

test('should refuse a qcow2 that stands on a file of the host', async () => {
  const path = await image('qcow2', ['-u', '-F', 'raw', '-b', '/etc/passwd']);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('BACKING_FILE', 'it has a backing file'));
});

test('should refuse a qcow2 whose data is in a file of the host', async () => {
  const path = await image('qcow2', ['-o', `data_file=${join(directory, 'data')},data_file_raw=on`]);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('DATA_FILE', 'external file'));
});

test('should refuse a qcow2 with an internal snapshot', async () => {
  const path = await image('qcow2');
  await runQemuImg(['snapshot', '-c', 'before', path]);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('FEATURES', 'internal snapshots'));
});

test('should refuse an encrypted qcow2', async () => {
  // AES and not LUKS: for LUKS qemu-img measures the processor first, and gives up on a busy machine.
  const secret = ['--object', 'secret,id=key,data=passphrase'];
  const path = await image('qcow2', [...secret, '-o', 'encrypt.format=aes,encrypt.key-secret=key']);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('ENCRYPTED', 'encrypted'));
  const luks = Buffer.from([0, 0, 0, 2]);
  await patch(path, 32, luks);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('ENCRYPTED', 'encrypted'));
});

test('should refuse a qcow2 that only qemu-img finds fault with', async () => {
  const path = await image('qcow2');
  await patch(path, 64, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]));
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('REFUSED', 'qemu-img cannot read it'));
});

test.each(['vmdk', 'vdi', 'vhdx', 'vpc', 'qed', 'qcow2'])('should refuse a %s registered as RAW', async (format) => {
  expect(await refusal(await image(format), 'RAW')).toEqual(refusedBecause('FORMAT', 'it is a'));
});

test.each(['vmdk', 'vdi', 'raw'])('should refuse a %s registered as QCOW2', async (format) => {
  expect(await refusal(await image(format), 'QCOW2')).toEqual(refusedBecause('FORMAT', 'it '));
});

test.each<ImageFormat>(['QCOW2', 'RAW', 'ISO'])("should say that a captive portal's page is no %s", async (format) => {
  const path = join(directory, 'page');
  await writeFile(path, `<!DOCTYPE html>\n<title>Log in</title>${' '.repeat(600)}`);
  expect(await refusal(path, format)).toEqual(refusedBecause('FORMAT', 'it is an HTML or XML page'));
});

test.each<ImageFormat>(['QCOW2', 'RAW', 'ISO'])('should refuse an empty file as %s', async (format) => {
  const path = join(directory, 'empty');
  await writeFile(path, '');
  expect(await refusal(path, format)).toEqual(refusedBecause('SIZE', 'it is empty'));
});

test('should refuse a qcow2 that was cut off', async () => {
  const path = await image('qcow2');
  await truncate(path, 100_000);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('HEADER', 'beyond the end of the file'));
});

test('should not blame an image for a host on which nothing can be run', async () => {
  const path = await image('qcow2');
  const original = process.env['PATH'];
  process.env['PATH'] = '/nonexistent';
  const outcome = await refusal(path, 'QCOW2').finally(() => (process.env['PATH'] = original));
  expect(outcome).toMatchObject({ name: 'Error', message: expect.stringContaining('failed to execute') as string });
});

test('should not wait for the writer of a pipe', async () => {
  const path = join(directory, 'pipe');
  await run('mkfifo', [path]);
  expect(await refusal(path, 'RAW')).toMatchObject({ message: 'Only a regular file can be inspected' });
});
