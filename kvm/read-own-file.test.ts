import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NotOurFileError, readOwnFile } from './read-own-file.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-own-file-'));
  path = join(directory, 'file');
});
afterEach(() => rm(directory, { recursive: true }));

test('should read a file', async () => {
  await writeFile(path, 'text');
  expect(await readOwnFile(path, 4)).toBe('text');
});

test('should say when there is none', async () => {
  expect(await readOwnFile(path, 4)).toBeUndefined();
});

test.each<[string, () => Promise<unknown>]>([
  ['a link', () => symlink('/proc/version', path)],
  ['a pipe without a writer', () => promisify(execFile)('mkfifo', [path])],
  ['a directory', () => mkdir(path)],
  ['a file that is too long', () => writeFile(path, 'texts')],
])('should not read %s', async (_name, plant) => {
  await plant();
  await expect(readOwnFile(path, 4)).rejects.toThrow(NotOurFileError);
});
