import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HOSTILE_IMAGES } from './hostile-images.js';
import { iso, qcow2, writeSparseFile } from './image-builder.js';
import { inspectImage } from './inspect-image.js';

const MIB = 1024 ** 2;
let path: string;
let directory: string;

beforeAll(async () => {
  // Of the file systems that every Linux has, tmpfs alone holds files as long as the longest here.
  directory = await mkdtemp('/dev/shm/slipway-hostile-');
  path = join(directory, 'image');
});

afterEach(() => rm(path, { force: true }));
afterAll(() => rm(directory, { recursive: true }));

test('should accept what the hostile images are made from', async () => {
  await writeSparseFile(path, qcow2());
  await expect(inspectImage(path, 'QCOW2')).resolves.toMatchObject({ virtualSizeBytes: 1024 * MIB });
  await writeSparseFile(path, iso());
  await expect(inspectImage(path, 'ISO')).resolves.toMatchObject({ virtualSizeBytes: 200 * 2048 });
});

const kilobytesBefore = process.resourceUsage().maxRSS;

// Jest's own limit of five seconds for a test is the limit for a refusal.
test.each(HOSTILE_IMAGES.map((image) => [image.name, image.code, image] as const))(
  '%s is refused with %s',
  async (_name, code, { file, format }) => {
    await writeSparseFile(path, file);
    await expect(inspectImage(path, format)).rejects.toMatchObject({ name: 'SlipwayError', code });
  },
);

test('should have taken little memory for all of them', () => {
  expect((process.resourceUsage().maxRSS - kilobytesBefore) / 1024).toBeLessThan(256);
});
