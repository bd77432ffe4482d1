import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RootDisk } from '../../shared/virtual-machines.js';
import { runQemuImg } from '../image/qemu-img.js';
import { createRootDisk } from './create-root-disk.js';

const MIB = 1024 ** 2;
const TEMPLATE = `${randomUUID()}.g1.e1`;
const VOLUME = `${randomUUID()}.2`;

let directory: string;

/** 16 MiB, of which the first is data. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
  await writeFile(join(directory, TEMPLATE), Buffer.alloc(MIB, 'disk'), { mode: 0o644 });
  await truncate(join(directory, TEMPLATE), 16 * MIB);
});
afterEach(() => rm(directory, { recursive: true }));

const copy = (sizeBytes: number | null, templateFormat: 'RAW' | 'QCOW2' = 'RAW'): RootDisk => ({
  type: 'copy',
  template: TEMPLATE,
  templateFormat,
  sizeBytes,
});
const create = (disk: RootDisk, signal?: AbortSignal): Promise<number> =>
  createRootDisk({ directory, fileName: VOLUME, disk, signal });
const info = async (): Promise<unknown> =>
  JSON.parse(await runQemuImg(['info', '-f', 'qcow2', '--output=json', join(directory, VOLUME)]));

/** The guest's view of the disk. */
async function content(): Promise<Buffer> {
  const raw = join(directory, 'raw');
  await runQemuImg(['convert', '-f', 'qcow2', '-O', 'raw', join(directory, VOLUME), raw]);
  return readFile(raw);
}

async function packTemplate(): Promise<void> {
  const path = join(directory, TEMPLATE);
  await runQemuImg(['convert', '-c', '-f', 'raw', '-O', 'qcow2', path, `${path}.new`]);
  await writeFile(path, await readFile(`${path}.new`));
}

test.each<['RAW' | 'QCOW2']>([['RAW'], ['QCOW2']])(
  'should copy a %s template whole, without its holes, to a file of its own that nobody else reads',
  async (format) => {
    if (format === 'QCOW2') await packTemplate();
    expect(await create(copy(null, format))).toBe(16 * MIB);
    expect(await info()).not.toHaveProperty('backing-filename');
    expect((await content()).equals(Buffer.concat([Buffer.alloc(MIB, 'disk'), Buffer.alloc(15 * MIB)]))).toBe(true);
    const { blocks, mode, uid } = await stat(join(directory, VOLUME));
    expect(blocks * 512).toBeLessThan(3 * MIB);
    expect({ mode: mode & 0o777, uid }).toEqual({ mode: 0o600, uid: process.geteuid?.() });
  },
);

test('should make a copy larger than the template', async () => {
  expect(await create(copy(24 * MIB))).toBe(24 * MIB);
  expect((await content()).subarray(16 * MIB).equals(Buffer.alloc(8 * MIB))).toBe(true);
});

test('should find the copy that an earlier try has made, and not make it anew', async () => {
  await create(copy(null));
  const { ino } = await stat(join(directory, VOLUME));
  expect(await create(copy(null))).toBe(16 * MIB);
  expect((await stat(join(directory, VOLUME))).ino).toBe(ino);
});

test('should leave nothing of a copy that was called off', async () => {
  const stop = new AbortController();
  const work = create(copy(null), stop.signal);
  stop.abort(new Error('called off'));
  await expect(work).rejects.toThrow('called off');
  await expect(stat(join(directory, VOLUME))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('should leave nothing of a copy that cannot be read to its end', async () => {
  await packTemplate();
  await truncate(join(directory, TEMPLATE), 65_536 * 5);
  await expect(create(copy(null, 'QCOW2'))).rejects.toThrow(/error while reading/);
  await expect(stat(join(directory, VOLUME))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('should make a disk with nothing on it', async () => {
  expect(await create({ type: 'blank', sizeBytes: 16 * MIB })).toBe(16 * MIB);
  expect(await info()).toMatchObject({ 'virtual-size': 16 * MIB });
  expect((await content()).equals(Buffer.alloc(16 * MIB))).toBe(true);
});

test('should not take an overlay for the copy or the blank disk that is asked for', async () => {
  await create({ type: 'overlay', template: TEMPLATE, templateFormat: 'RAW', sizeBytes: null });
  await expect(create(copy(null))).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
  await expect(create({ type: 'blank', sizeBytes: MIB })).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
});

test.each([0, -1, 1.5, 2 ** 60, Number.NaN])('should refuse a disk of %d bytes', async (sizeBytes) => {
  await expect(create({ type: 'blank', sizeBytes })).rejects.toMatchObject({ code: 'SLIPWAY_PARAMETER_INVALID' });
  await expect(create(copy(sizeBytes))).rejects.toMatchObject({ code: 'SLIPWAY_PARAMETER_INVALID' });
});

test.each<[string, RootDisk]>([
  ['a path', { type: 'copy', template: '../secret', templateFormat: 'RAW', sizeBytes: null }],
  ['an ISO', { type: 'overlay', template: TEMPLATE, templateFormat: 'ISO', sizeBytes: null }],
])('should not make a disk from %s', async (_name, disk) => {
  await expect(create(disk)).rejects.toMatchObject({ code: 'SLIPWAY_INTERNAL' });
});
