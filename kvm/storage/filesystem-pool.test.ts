import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { runQemuImg } from '../image/qemu-img.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import type { RootDisk } from '../../shared/virtual-machines.js';
import { makePool } from '../../tests/support/test-pool.js';
import { templateFileName } from './file-names.js';
import { FilesystemPool, type RootVolumeRequest } from './filesystem-pool.js';

const MIB = 1024 ** 2;
const VOLUME_ID = '6f5e4d3c-0000-4000-8000-000000000001';
let directory: string;
let pool: FilesystemPool;
let ref: TemplateCopyRef;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-pool-'));
  pool = await makePool(directory);
  ref = { templateId: randomUUID(), generation: 1, epoch: 2 };
});

afterEach(() => rm(directory, { recursive: true }));

async function download(copy: TemplateCopyRef = ref): Promise<void> {
  await runQemuImg(['create', '-q', '-f', 'qcow2', pool.partialPath(copy), '8M']);
  await writeFile(`${pool.partialPath(copy)}.journal`, '{}');
}

const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describe('installing a template', () => {
  test('should publish the file under its final name and leave nothing else', async () => {
    await download();
    const installed = await pool.installTemplate(ref, 'QCOW2', false);
    expect(installed).toEqual({
      installPath: `${ref.templateId}.g1.e2`,
      virtualSizeBytes: 8 * MIB,
      physicalSizeBytes: (await stat(join(directory, installed.installPath))).size,
      allocatedBytes: (await stat(join(directory, installed.installPath))).blocks * 512,
    });
    expect(await pool.list()).toEqual([installed.installPath]);
    expect((await stat(join(directory, installed.installPath))).mode & 0o777).toBe(0o644);
  });

  test('should answer the same when it is repeated', async () => {
    await download();
    const first = await pool.installTemplate(ref, 'QCOW2', false);
    expect(await pool.installTemplate(ref, 'QCOW2', false)).toEqual(first);
  });

  test('should not replace an installed file, on which disks may stand', async () => {
    await download();
    const { installPath } = await pool.installTemplate(ref, 'QCOW2', false);
    const before = await stat(join(directory, installPath));
    await download();
    await pool.installTemplate(ref, 'QCOW2', false);
    expect((await stat(join(directory, installPath))).ino).toBe(before.ino);
  });

  test('should publish what a packed download was unpacked to, and drop the rest', async () => {
    await download();
    await rename(pool.partialPath(ref), pool.unpackedPath(ref));
    await writeFile(pool.partialPath(ref), 'packed');
    await writeFile(pool.piecesPath(ref), '[]');
    const { installPath, virtualSizeBytes } = await pool.installTemplate(ref, 'QCOW2', true);
    expect(virtualSizeBytes).toBe(8 * MIB);
    expect(await pool.list()).toEqual([installPath]);
  });

  test('should finish what a process that was killed after the rename has left undone', async () => {
    await download();
    const { installPath } = await pool.installTemplate(ref, 'QCOW2', false);
    await writeFile(`${pool.partialPath(ref)}.journal`, '{}');
    await pool.installTemplate(ref, 'QCOW2', true);
    expect(await pool.list()).toEqual([installPath]);
  });

  describe('should take for the image', () => {
    const plant: Record<string, (secret: string, path: string) => Promise<unknown>> = {
      'no link': symlink,
      'no other name of a disk': link,
      'no pipe': (_secret, path) => promisify(execFile)('mkfifo', [path]),
    };

    test.each(
      Object.keys(plant).flatMap((what) => [
        [what, 'what was downloaded'],
        [what, 'what is installed already'],
      ]),
    )('%s in the place of %s', async (what, place) => {
      const secret = join(directory, 'secret');
      await writeFile(secret, Buffer.alloc(MIB), { mode: 0o600 });
      const path = place === 'what was downloaded' ? pool.partialPath(ref) : join(directory, templateFileName(ref));
      await plant[what]?.(secret, path);
      await expect(pool.installTemplate(ref, 'RAW', false)).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
      expect((await stat(secret)).mode & 0o777).toBe(0o600);
    });
  });

  test('should leave a refused image unpublished', async () => {
    await writeFile(pool.partialPath(ref), '<html>log in</html>');
    expect(await errorOf(pool.installTemplate(ref, 'QCOW2', false))).toMatchObject({
      code: expect.stringMatching(/^SLIPWAY_IMAGE_/) as string,
    });
    expect(await pool.list()).toEqual([`${ref.templateId}.g1.e2.partial`]);
  });

  test('should say so when there are no bytes to install', async () => {
    expect(await errorOf(pool.installTemplate(ref, 'QCOW2', false))).toMatchObject({ code: 'SLIPWAY_POOL_IO' });
  });
});

test.each([
  ['a path', '../../etc/passwd'],
  ['an upper-case id', '6F5E4D3C-0000-4000-8000-000000000001'],
  ['nothing', ''],
])('should make no file name from %s', (_name, templateId) => {
  expect(() => pool.partialPath({ ...ref, templateId })).toThrow('not a lower-case UUID');
});

test.each([-1, 1.5, Number.NaN])('should make no file name from epoch %d', (epoch) => {
  expect(() => pool.partialPath({ ...ref, epoch })).toThrow('must be a whole number');
});

test('should remove a template copy with all that belongs to it, and nothing else, as often as asked', async () => {
  const other = { ...ref, epoch: 20 };
  await download();
  await download(other);
  await pool.installTemplate(ref, 'QCOW2', false);
  await download();
  await pool.discardTemplateCopy(ref);
  await pool.discardTemplateCopy(ref);
  expect((await pool.list()).toSorted()).toEqual([
    `${ref.templateId}.g1.e20.partial`,
    `${ref.templateId}.g1.e20.partial.journal`,
  ]);
});

test('should list the downloads that are begun, each once', async () => {
  const other = { ...ref, epoch: 20 };
  await download();
  await download(other);
  await writeFile(pool.piecesPath({ ...ref, epoch: 21 }), '[]');
  await writeFile(join(directory, `${ref.templateId}.g1.e0`), '');
  const found = await pool.listPartials();
  expect(found.toSorted((a, b) => a.epoch - b.epoch)).toEqual([ref, other, { ...ref, epoch: 21 }]);
});

test('should sweep the partial files of dead stages only', async () => {
  const dead = { ...ref, epoch: 1 };
  await download(dead);
  await download();
  await writeFile(join(directory, 'lost+found'), '');
  await writeFile(join(directory, `${ref.templateId}.g1.e0`), '');
  await writeFile(join(directory, `${ref.templateId}.g1.e1`), 'a disk may stand on it');
  const removed = await pool.sweepPartials([dead]);
  const names = [`${ref.templateId}.g1.e1.partial`, `${ref.templateId}.g1.e1.partial.journal`];
  expect(removed.toSorted()).toEqual(names);
  expect(await pool.list()).toHaveLength(5);
});

describe('root volumes', () => {
  const template = (): string => `${ref.templateId}.g1.e2`;
  const volume = (overlay: Partial<Extract<RootDisk, { type: 'overlay' | 'copy' }>> = {}): RootVolumeRequest => ({
    volumeId: VOLUME_ID,
    token: 3,
    disk: { type: 'overlay', template: template(), templateFormat: 'QCOW2', sizeBytes: null, ...overlay },
  });

  beforeEach(async () => {
    await download();
    await pool.installTemplate(ref, 'QCOW2', false);
  });

  test('should stand on the template by a relative name with an explicit format', async () => {
    expect(await pool.createRootVolume(volume())).toEqual({ fileName: `${VOLUME_ID}.3`, virtualSizeBytes: 8 * MIB });
    const info: unknown = JSON.parse(
      await runQemuImg(['info', '-f', 'qcow2', '--output=json', join(directory, `${VOLUME_ID}.3`)]),
    );
    expect(info).toMatchObject({ 'backing-filename': template(), 'backing-filename-format': 'qcow2' });
    expect((await stat(join(directory, `${VOLUME_ID}.3`))).mode & 0o777).toBe(0o600);
  });

  test('should be as large as asked', async () => {
    expect(await pool.createRootVolume(volume({ sizeBytes: 32 * MIB }))).toMatchObject({
      virtualSizeBytes: 32 * MIB,
    });
  });

  test('should not be smaller than the template', async () => {
    const error = await errorOf(pool.createRootVolume(volume({ sizeBytes: MIB })));
    expect(error).toMatchObject({ code: 'SLIPWAY_PARAMETER_INVALID' });
  });

  test('should keep what a guest wrote when creation is repeated', async () => {
    await pool.createRootVolume(volume());
    const { ino } = await stat(join(directory, `${VOLUME_ID}.3`));
    await pool.createRootVolume(volume());
    expect((await stat(join(directory, `${VOLUME_ID}.3`))).ino).toBe(ino);
  });

  test('should not be taken for a volume on another template', async () => {
    await pool.createRootVolume(volume());
    const error = await errorOf(pool.createRootVolume(volume({ template: `${ref.templateId}.g2.e1` })));
    expect(error).toMatchObject({ code: 'SLIPWAY_POOL_IO', message: expect.stringContaining('another template') });
  });

  test('should not stand on any other file', async () => {
    const error = await errorOf(pool.createRootVolume(volume({ template: '../secret' })));
    expect(error).toMatchObject({ code: 'SLIPWAY_INTERNAL' });
  });

  test('should fail in plain words when the template is gone', async () => {
    const error = await errorOf(pool.createRootVolume(volume({ template: `${ref.templateId}.g9.e9` })));
    expect(error).toMatchObject({ code: 'SLIPWAY_POOL_IO', message: expect.stringContaining('ENOENT') });
  });

  test('should be whole after the process that makes them was killed half-way', async () => {
    await killHalfWay(volume());
    expect(await halfMadeFiles()).toHaveLength(1);
    expect(await pool.createRootVolume(volume())).toMatchObject({ virtualSizeBytes: 8 * MIB });
    await pool.deleteVolume(VOLUME_ID, 3);
    expect((await pool.list()).filter((name) => name.startsWith(VOLUME_ID))).toEqual([]);
  });

  test('should be removed attempt by attempt, or up to one, as often as asked', async () => {
    for (const token of [1, 2, 3, 12]) await pool.createRootVolume({ ...volume(), token });
    await pool.deleteVolume(VOLUME_ID, 1);
    await pool.deleteVolume(VOLUME_ID, 1);
    expect((await volumesOnPool()).toSorted()).toEqual(['12', '2', '3']);
    await pool.deleteVolumesUpTo(VOLUME_ID, 3);
    await pool.deleteVolumesUpTo(VOLUME_ID, 3);
    expect(await volumesOnPool()).toEqual(['12']);
  });

  const halfMadeFiles = async (): Promise<string[]> =>
    (await pool.list()).filter((name) => name.startsWith(`${VOLUME_ID}.3.creating.`));

  /** Creates a volume in a process of its own, with a qemu-img that stops after some bytes, and kills it there. */
  async function killHalfWay(request: RootVolumeRequest): Promise<void> {
    const tools = join(directory, 'tools');
    await mkdir(tools);
    const stalls = '#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\nprintf half > "$1"\nexec sleep 60\n';
    await writeFile(join(tools, 'qemu-img'), stalls, { mode: 0o755 });
    const program = `
      import { FilesystemPool } from ${JSON.stringify(join(import.meta.dirname, 'filesystem-pool.ts'))};
      const [options, request] = process.argv.slice(1).map((text) => JSON.parse(text));
      await new FilesystemPool(options).createRootVolume(request);`;
    const options = { poolId: pool.poolId, type: 'Filesystem', path: directory };
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program, JSON.stringify(options), JSON.stringify(request)],
      { env: { ...process.env, PATH: `${tools}:${process.env['PATH']}` }, detached: true, stdio: 'inherit' },
    );
    const exited = once(child, 'exit');
    while ((await halfMadeFiles()).length === 0 && child.exitCode === null) await sleep(20);
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await exited;
  }

  const volumesOnPool = async (): Promise<string[]> =>
    (await pool.list()).filter((name) => name.startsWith(VOLUME_ID)).map((name) => name.split('.')[1] ?? '');
});

describe('space', () => {
  test('should report the file system it is on', async () => {
    const report = await pool.report();
    expect(report).toMatchObject({ poolId: pool.poolId, type: 'Filesystem', path: directory });
    expect(report.usedBytes).toBeGreaterThan(0);
    expect(report.capacityBytes).toBeGreaterThan(report.usedBytes);
  });

  test('should be refused beyond what is available, for the file and for what it is unpacked to', async () => {
    await expect(pool.ensureSpaceFor(ref, MIB, MIB)).resolves.toBeUndefined();
    await expect(pool.ensureSpaceFor(ref)).resolves.toBeUndefined();
    expect(await errorOf(pool.ensureSpaceFor(ref, 2 ** 60))).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    expect(await errorOf(pool.ensureSpaceFor(ref, MIB, 2 ** 60))).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
  });

  test('should count what a download holds, and not how long its file is', async () => {
    const { bavail, bsize } = await statfs(directory);
    await writeFile(pool.partialPath(ref), '');
    await truncate(pool.partialPath(ref), bavail * bsize * 2);
    expect(await errorOf(pool.ensureSpaceFor(ref, bavail * bsize * 2))).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
  });

  test('should be set aside for a download, whose length stays as it is', async () => {
    await writeFile(pool.partialPath(ref), 'begun');
    await pool.reserveSpaceFor(ref, 4 * MIB);
    const { size, blocks } = await stat(pool.partialPath(ref));
    expect(size).toBe(5);
    expect(blocks * 512).toBeGreaterThanOrEqual(4 * MIB);
  });

  test('should make no file when it is set aside for one that has just been installed', async () => {
    await pool.reserveSpaceFor(ref, MIB);
    expect(await pool.list()).toEqual([]);
  });
});

describe('a pool that is not there', () => {
  test('should fail in plain words when its directory is gone', async () => {
    const missing = new FilesystemPool({ poolId: pool.poolId, type: 'Filesystem', path: join(directory, 'missing') });
    expect(await errorOf(missing.list())).toMatchObject({
      code: 'SLIPWAY_POOL_IO',
      message: expect.stringMatching(/has no file \.slipway-pool\. Is the pool mounted there\?$/) as string,
    });
  });

  test('should not be written to: the mount point is a directory of the root disk', async () => {
    await download();
    await rm(join(directory, '.slipway-pool'));
    for (const work of [
      pool.ensureSpaceFor(ref, 1),
      pool.installTemplate(ref, 'QCOW2', false),
      pool.sweepPartials([ref]),
      pool.createRootVolume({
        volumeId: VOLUME_ID,
        token: 1,
        disk: { type: 'overlay', template: `${ref.templateId}.g1.e2`, templateFormat: 'RAW', sizeBytes: null },
      }),
    ]) {
      expect(await errorOf(work)).toMatchObject({
        code: 'SLIPWAY_POOL_IO',
        message: expect.stringContaining('mounted'),
      });
    }
    expect(await readdir(directory)).toHaveLength(2);
  });
});
