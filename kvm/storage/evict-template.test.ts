import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POOL_MARKER } from './pool-marker.js';
import { makePool } from '../../tests/support/test-pool.js';
import { runQemuImg } from '../image/qemu-img.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import type { FilesystemPool } from './filesystem-pool.js';

let directory: string;
let pool: FilesystemPool;
const copy: TemplateCopyRef = { templateId: randomUUID(), generation: 1, epoch: 1 };
const template = `${copy.templateId}.g1.e1`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-evict-'));
  pool = await makePool(directory);
  await install(copy);
});
afterEach(() => rm(directory, { recursive: true }));

async function install(ref: TemplateCopyRef): Promise<void> {
  await runQemuImg(['create', '-q', '-f', 'qcow2', pool.partialPath(ref), '8M']);
  await pool.installTemplate(ref, 'QCOW2', false);
}

const at = (name: string): string => join(directory, name);

/** As somebody would make it by hand. */
const overlay = (name: string, backing: string): Promise<string> =>
  runQemuImg(['create', '-q', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', backing, at(name), '8M']);

test('removes the file, and answers the same when it is gone', async () => {
  for (const _ of ['first', 'repeated']) {
    expect(await pool.evictTemplate(copy)).toEqual([]);
    expect(await pool.list()).toEqual([]);
  }
});

test('leaves a template that a root disk stands on', async () => {
  const volumeId = randomUUID();
  const disk = await pool.createRootVolume({
    volumeId,
    token: 2,
    disk: { type: 'overlay', template, templateFormat: 'QCOW2', sizeBytes: null },
  });
  expect(await pool.evictTemplate(copy)).toEqual([disk.fileName]);
  expect(await pool.list()).toContain(template);
  await pool.deleteVolume(volumeId, 2);
  expect(await pool.evictTemplate(copy)).toEqual([]);
});

test.each<[string, (name: string) => Promise<unknown>]>([
  ['by its relative name', (name) => overlay(name, template)],
  ['by its absolute path', (name) => overlay(name, at(template))],
  ['by another way to it', (name) => overlay(name, `../${directory.split('/').at(-1)!}/${template}`)],
  ['by a JSON description', (name) => overlay(name, `json:{"driver":"file","filename":"${at(template)}"}`)],
  [
    'and is a disk that was not whole when its maker died',
    (name) => overlay(`${randomUUID()}.4.creating.${name}`, template),
  ],
])('leaves a template that a file made by hand stands on %s', async (_, make) => {
  await make('rescue');
  const found = await pool.evictTemplate(copy);
  expect(found).toEqual([expect.stringContaining('rescue')]);
  expect(await pool.list()).toContain(template);
});

test('is not stopped by disks of other templates, other generations and other epochs, nor by other files', async () => {
  for (const other of [{ templateId: randomUUID() }, { generation: 12 }, { epoch: 12 }]) {
    const ref = { ...copy, ...other };
    await install(ref);
    await overlay(`on-${randomUUID()}`, `${ref.templateId}.g${ref.generation}.e${ref.epoch}`);
  }
  await writeFile(at('notes.txt'), `do not remove ${template}`);
  await writeFile(at('empty'), '');
  await writeFile(at(`${template}.partial`), 'QFI\xfb', 'latin1');
  await runQemuImg(['create', '-q', '-f', 'qcow2', at('blank.qcow2'), '8M']);
  execFileSync('mkfifo', [at('pipe')]);
  await mkdir(at('lost+found'));
  const before = await pool.list();
  expect(await pool.evictTemplate(copy)).toEqual([]);
  expect((await pool.list()).sort()).toEqual(before.filter((name) => name !== template).sort());
});

describe('a file that does not tell what it stands on', () => {
  test('counts, when its header is damaged', async () => {
    await overlay('damaged', template);
    const bytes = await readFile(at('damaged'));
    // cluster_bits
    bytes.writeUInt32BE(63, 20);
    await writeFile(at('damaged'), bytes);
    expect(await pool.evictTemplate(copy)).toEqual(['damaged']);
  });

  test('counts, when its backing name is beyond what is read', async () => {
    await overlay('far', template);
    const bytes = await readFile(at('far'));
    bytes.writeBigUInt64BE(1n << 30n, 8);
    await writeFile(at('far'), bytes);
    expect(await pool.evictTemplate(copy)).toEqual(['far']);
  });
});

test('touches nothing while the pool is not mounted', async () => {
  await rm(at(POOL_MARKER));
  await expect(pool.evictTemplate(copy)).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
  expect(await readFile(at(template))).toBeInstanceOf(Buffer);
});
