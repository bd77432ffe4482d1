import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConsole } from './read-console.js';

const VM = randomUUID();
const KIB = 1024;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-console-'));
});
afterEach(() => rm(directory, { recursive: true }));

const write = (suffix: string, text: string): Promise<void> => writeFile(join(directory, `${VM}.log${suffix}`), text);
const read = async (lengthBytes: number): Promise<string> =>
  (await readConsole(directory, VM, lengthBytes)).toString('latin1');

test.each([
  [4, 'boot'],
  [100, 'first boot'],
  [0, ''],
  [-1, ''],
  [Number.NaN, ''],
  [1.5, 't'],
])('should read the last bytes: %d', async (lengthBytes, end) => {
  await write('', 'first boot');
  expect(await read(lengthBytes)).toBe(end);
});

test('should go on at the end of the file before, when a new one has just begun', async () => {
  await write('.1', 'older ');
  await write('.0', 'before ');
  await write('', 'now');
  expect(await read(6)).toBe('re now');
  expect(await read(100)).toBe('before now');
});

test('should read no more than an answer can hold', async () => {
  await write('', 'x'.repeat(600 * KIB));
  expect(await read(Infinity)).toHaveLength(0);
  expect(await read(Number.MAX_SAFE_INTEGER)).toHaveLength(512 * KIB);
});

test('should be empty for a VM that has written nothing', async () => {
  expect(await read(100)).toBe('');
});

test('should not follow a link to another file', async () => {
  await symlink('/etc/hostname', join(directory, `${VM}.log`));
  await expect(read(100)).rejects.toMatchObject({ code: 'ELOOP' });
});

test('should be of a VM only', async () => {
  await expect(readConsole(directory, '../x', 10)).rejects.toMatchObject({ code: 'SLIPWAY_INTERNAL' });
});
