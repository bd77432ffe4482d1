import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageFormat } from '../../shared/images.js';
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

const refusedBecause = (reason: string): unknown =>
  expect.objectContaining({ code: 'SLIPWAY_IMAGE_REFUSED', message: expect.stringContaining(reason) as string });

test.each([
  ['version 3', []],
  ['version 2', ['-o', 'compat=0.10']],
  ['zstd compression', ['-o', 'compression_type=zstd']],
  ['subclusters', ['-o', 'extended_l2=on,cluster_size=128k']],
  ['clusters of 2 MiB', ['-o', 'cluster_size=2M']],
  ['lazy refcounts', ['-o', 'lazy_refcounts=on']],
])('should accept a qcow2 that QEMU made with %s', async (_name, options) => {
  const inspection = await inspectImage(await image('qcow2', options), 'QCOW2');
  expect(inspection).toEqual({ format: 'QCOW2', virtualSizeBytes: 8 * MIB, physicalSizeBytes: expect.any(Number) });
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
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('it has a backing file'));
});

test('should refuse a qcow2 whose data is in a file of the host', async () => {
  const path = await image('qcow2', ['-o', `data_file=${join(directory, 'data')},data_file_raw=on`]);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('external file'));
});

test('should refuse a qcow2 with an internal snapshot', async () => {
  const path = await image('qcow2');
  await runQemuImg(['snapshot', '-c', 'before', path]);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('internal snapshots'));
});

test('should refuse an encrypted qcow2', async () => {
  // AES and not LUKS: for LUKS qemu-img measures the processor first, and gives up on a busy machine.
  const secret = ['--object', 'secret,id=key,data=passphrase'];
  const path = await image('qcow2', [...secret, '-o', 'encrypt.format=aes,encrypt.key-secret=key']);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('encrypted'));
  const luks = Buffer.from([0, 0, 0, 2]);
  await patch(path, 32, luks);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('encrypted'));
});

test('should refuse a qcow2 that only qemu-img finds fault with', async () => {
  const path = await image('qcow2');
  // A bitmaps extension that is in force and has no bitmaps: well-formed for a reader of headers, an error for QEMU.
  await patch(path, 88, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]));
  await patch(path, 112, Buffer.from([0x23, 0x85, 0x28, 0x75, 0, 0, 0, 24, ...Buffer.alloc(32)]));
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('qemu-img cannot read it'));
});

test.each(['vmdk', 'vdi', 'vhdx', 'vpc', 'qed', 'qcow2'])('should refuse a %s registered as RAW', async (format) => {
  expect(await refusal(await image(format), 'RAW')).toEqual(refusedBecause('the file is a'));
});

test.each(['vmdk', 'vdi', 'raw'])('should refuse a %s registered as QCOW2', async (format) => {
  expect(await refusal(await image(format), 'QCOW2')).toMatchObject({ code: 'SLIPWAY_IMAGE_REFUSED' });
});

test.each<ImageFormat>(['QCOW2', 'RAW'])("should say that a captive portal's page is no %s", async (format) => {
  const path = join(directory, 'page');
  await writeFile(path, `<!DOCTYPE html>\n<title>Log in</title>${' '.repeat(600)}`);
  expect(await refusal(path, format)).toEqual(refusedBecause('the file is an HTML or XML page'));
});

test.each<ImageFormat>(['QCOW2', 'RAW'])('should refuse an empty file as %s', async (format) => {
  const path = join(directory, 'empty');
  await writeFile(path, '');
  expect(await refusal(path, format)).toEqual(refusedBecause('the file is empty'));
});

test('should refuse a qcow2 that was cut off', async () => {
  const path = await image('qcow2');
  await truncate(path, 100_000);
  expect(await refusal(path, 'QCOW2')).toEqual(refusedBecause('beyond the end of the file'));
});

test('should not blame an image for a host that cannot run qemu-img', async () => {
  const path = await image('qcow2');
  const { stdout } = await run('sh', ['-c', 'command -v prlimit']);
  await symlink(stdout.trim(), join(directory, 'prlimit'));
  await chmod(directory, 0o755);
  const original = process.env['PATH'];
  process.env['PATH'] = directory;
  try {
    await expect(inspectImage(path, 'QCOW2')).rejects.toThrow('qemu-img');
    await expect(inspectImage(path, 'QCOW2')).rejects.not.toMatchObject({ code: 'SLIPWAY_IMAGE_REFUSED' });
  } finally {
    process.env['PATH'] = original;
  }
});
