import { mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moveFile } from './publish-image.js';

let directory: string;
let from: string;
let to: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-publish-'));
  from = join(directory, 'from');
  to = join(directory, 'to');
  await writeFile(from, 'image');
});
afterEach(() => rm(directory, { recursive: true }));

async function move(before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const file = await open(from, 'r');
  try {
    await before();
    await moveFile(file, from, to);
  } finally {
    await file.close();
  }
}

test('should rename the file', async () => {
  await move();
  expect(await readdir(directory)).toEqual(['to']);
});

test('should take ENOENT for success when the file is there: the server was asked twice and did it once', async () => {
  await move(() => rename(from, to));
  expect(await readFile(to, 'utf8')).toBe('image');
});

test.each<[string, () => Promise<void>]>([
  ['no file', () => rm(from)],
  [
    'another file',
    async () => {
      await rm(from);
      await writeFile(to, 'other');
    },
  ],
])('should not take ENOENT for success when %s is there', async (_name, before) => {
  await expect(move(before)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('should notice that another file was renamed instead', async () => {
  const replaced = move(async () => {
    await rm(from);
    await writeFile(from, 'other');
  });
  await expect(replaced).rejects.toThrow('another file is in its place');
});
