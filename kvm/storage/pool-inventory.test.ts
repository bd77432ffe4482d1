import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runQemuImg } from '../image/qemu-img.js';
import { hasFile, listInventory, removeOrphans } from './pool-inventory.js';

const ID = '0b6e1f5e-3f4a-4c53-9d5c-6a3f0d8f1a01';
const COPY = `${ID}.g1.e2`;
const VOLUME = `${ID}.4`;

describe('the inventory of a pool', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-inventory-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const put = (name: string) => writeFile(join(directory, name), '');

  it('has what is named as a template or a volume, and nothing of strangers', async () => {
    const ours = [COPY, VOLUME, `${ID}.6.creating.x`];
    for (const name of [...ours, `${COPY}.partial`, `${ID}.qcow2`, 'backup.tar', `${ID}`]) await put(name);
    await symlink('/etc/passwd', join(directory, `${ID}.8`));
    await mkdir(join(directory, `${ID}.10`));
    const { files, recentFiles } = await listInventory(directory, { recentSinceMs: 0 });
    expect(files.toSorted()).toEqual(ours.toSorted());
    expect(recentFiles.toSorted()).toEqual(ours.toSorted());
  });

  it('tells what was changed lately from what was not', async () => {
    await put(COPY);
    await put(VOLUME);
    const before = new Date(Date.now() - 7_200_000);
    await utimes(join(directory, VOLUME), before, before);
    expect(await listInventory(directory, { recentSinceMs: Date.now() - 3_600_000 })).toEqual({
      files: expect.arrayContaining([COPY, VOLUME]) as string[],
      recentFiles: [COPY],
    });
  });

  it('is listed in parts, each behind the one before, and says when there is no more', async () => {
    const names = [COPY, VOLUME, `${ID}.40`, `${ID}.6`];
    for (const name of names) await put(name);
    await mkdir(join(directory, `${ID}.10`));
    const parts: string[][] = [];
    let after: string | undefined;
    do {
      const part = await listInventory(directory, { recentSinceMs: Infinity, after, most: 2 });
      parts.push(part.files);
      after = part.upTo;
    } while (after !== undefined);
    expect(parts).toEqual([[`${ID}.4`], [`${ID}.40`, `${ID}.6`], [COPY]]);
  });

  it('removes an orphan, and one that is gone already', async () => {
    await put(VOLUME);
    expect(await removeOrphans(directory, [VOLUME])).toEqual([VOLUME]);
    expect(await hasFile(directory, VOLUME)).toBe(false);
    expect(await removeOrphans(directory, [VOLUME])).toEqual([VOLUME]);
  });

  it('removes an orphan that only another orphan stands on', async () => {
    const create = (args: string[]) => runQemuImg(['create', '-q', '-f', 'qcow2', ...args]);
    await create([join(directory, COPY), '1M']);
    await create(['-b', COPY, '-F', 'qcow2', join(directory, VOLUME)]);
    expect((await removeOrphans(directory, [COPY, VOLUME])).toSorted()).toEqual([COPY, VOLUME].toSorted());
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([COPY, VOLUME])('keeps %s while something stands on it', async (name) => {
    const create = (args: string[]) => runQemuImg(['create', '-q', '-f', 'qcow2', ...args]);
    await create([join(directory, name), '1M']);
    await create(['-b', name, '-F', 'qcow2', join(directory, 'snapshot.qcow2')]);
    expect(await removeOrphans(directory, [name])).toEqual([]);
    expect((await readdir(directory)).toSorted()).toEqual([name, 'snapshot.qcow2'].toSorted());
  });

  it.each(['../outside', 'disk.qcow2', `${COPY}.partial`])('leaves alone %s', async (name) => {
    await put('disk.qcow2');
    expect(await removeOrphans(directory, [name])).toEqual([]);
    expect(await hasFile(directory, 'disk.qcow2')).toBe(true);
  });
});
