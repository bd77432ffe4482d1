import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectFormat } from './detect-format.js';
import { iso, partitionTable, qcow2, raw, writeSparseFile, type SparseFile } from './image-builder.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-format-'));
  path = join(directory, 'image');
});

afterEach(() => rm(directory, { recursive: true }));

test.each<[string, SparseFile]>([
  ['QCOW2', qcow2()],
  ['ISO', iso()],
  ['RAW', raw(1024 ** 2)],
  ['RAW', raw(1024 ** 2, ...partitionTable())],
])('should tell a %s by its content', async (format, file) => {
  await writeSparseFile(path, file);
  expect(await detectFormat(path)).toEqual({ format });
});

test('should say what a file is that is no image', async () => {
  await writeSparseFile(path, raw(1024 ** 2, [0, 'vhdxfile']));
  await expect(detectFormat(path)).rejects.toMatchObject({
    code: 'SLIPWAY_IMAGE_FORMAT',
    message: 'The file is no image that can be used: it is a VHDX image',
  });
});
