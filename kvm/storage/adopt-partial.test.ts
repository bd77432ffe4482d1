import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, mkdtemp, open, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Journal, readJournal, writeJournal } from '../download/journal.js';
import { adoptPartial } from './adopt-partial.js';

const BYTES = randomBytes(3 * 1024 ** 2);
const JOURNAL: Journal = {
  synced: [
    { fromByte: 0, endByte: 1000 },
    { fromByte: 2_000_000, endByte: 3_000_000 },
  ],
  source: { url: 'http://images.example/disk', etag: '"1"', totalBytes: 5_000_000 },
};

let directory: string;
let from: string;
let to: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-adopt-'));
  from = join(directory, 'from.partial');
  to = join(directory, 'to.partial');
  await writeFile(from, BYTES);
});
afterEach(() => rm(directory, { recursive: true }));

const adopt = (signal = new AbortController().signal): Promise<void> => adoptPartial(from, to, signal);
/** The rest of the file need not be copied. */
const holdsVouched = async (): Promise<void> => {
  const copied = await readFile(to);
  for (const { fromByte, endByte } of JOURNAL.synced) {
    expect(copied.subarray(fromByte, endByte).equals(BYTES.subarray(fromByte, endByte))).toBe(true);
  }
};
const nothingNew = async (): Promise<void> =>
  expect((await readdir(directory)).filter((name) => name.startsWith('to'))).toEqual([]);

test('should take over the bytes and what is known of them, in a file of its own', async () => {
  await writeJournal(from, JOURNAL);
  await adopt();
  await holdsVouched();
  expect(await readJournal(to)).toEqual(JOURNAL);
  // The dead one's host only seemed dead, and writes on.
  const file = await open(from, 'r+');
  await file.write(Buffer.alloc(1000));
  await file.close();
  await holdsVouched();
  expect((await readdir(directory)).toSorted()).toEqual([
    'from.partial',
    'from.partial.journal',
    'to.partial',
    'to.partial.journal',
  ]);
});

test.each<[string, () => Promise<unknown>]>([
  ['no journal', () => Promise.resolve()],
  ['a journal of nothing', () => writeJournal(from, { synced: [] })],
  ['a torn journal', () => writeFile(`${from}.journal`, '{"synced":[')],
  ['a journal, and no file', () => Promise.all([writeJournal(from, JOURNAL), rm(from)])],
])('should take over nothing from a try with %s', async (_name, prepare) => {
  await prepare();
  await adopt().catch(() => undefined);
  await nothingNew();
});

test('should leave a try alone that has begun itself', async () => {
  await writeJournal(from, JOURNAL);
  await writeFile(to, 'mine');
  await writeJournal(to, { ...JOURNAL, synced: [{ fromByte: 0, endByte: 4 }] });
  await adopt();
  expect(await readFile(to, 'utf8')).toBe('mine');
});

test('should begin again over what an earlier adoption, killed half-way, has left', async () => {
  await writeJournal(from, JOURNAL);
  await writeFile(to, 'half');
  await writeFile(`${to}.adopted`, 'half');
  await adopt();
  await holdsVouched();
  expect(await readdir(directory)).not.toContain('to.partial.adopted');
});

test('should not vouch for what a packed file was unpacked to, which is not taken over', async () => {
  const finished = { sizeBytes: BYTES.length, digests: [] };
  await writeJournal(from, { ...JOURNAL, finished });
  await adopt();
  expect((await readJournal(to))?.finished).toEqual(finished);
  await rm(`${to}.journal`);
  await writeJournal(from, { ...JOURNAL, finished: { ...finished, unpacked: { compression: 'gzip', sizeBytes: 1 } } });
  await adopt();
  expect((await readJournal(to))?.finished).toBeUndefined();
});

test.each<[string, Journal, boolean]>([
  [
    'take over what was there, when the other has more now',
    { ...JOURNAL, synced: [{ fromByte: 0, endByte: 4e6 }] },
    true,
  ],
  ['take over nothing, when the other has thrown a part away', { ...JOURNAL, synced: [JOURNAL.synced[0]!] }, false],
  [
    'take over nothing, when the other has begun with another file',
    { ...JOURNAL, source: { ...JOURNAL.source!, etag: '"2"' } },
    false,
  ],
])('should %s after the copy', async (_name, later, isAdopted) => {
  await writeJournal(from, JOURNAL);
  await adoptPartial(from, to, new AbortController().signal, async (_from, copy) => {
    await writeFile(copy, 'bytes');
    await writeJournal(from, later);
    return true;
  });
  if (isAdopted) expect(await readJournal(to)).toEqual(JOURNAL);
  else await nothingNew();
});

test.each<[string, () => Promise<unknown>]>([
  ['a link', () => symlink(join(directory, 'secret'), from)],
  ['another name of a file', () => link(join(directory, 'secret'), from)],
  ['a pipe', () => promisify(execFile)('mkfifo', [from])],
])('should not take %s for the file of the other', async (_name, plant) => {
  await writeJournal(from, { ...JOURNAL, finished: { sizeBytes: BYTES.length, digests: [] } });
  await rename(from, join(directory, 'secret'));
  await plant();
  await adopt().catch(() => undefined);
  await nothingNew();
});

test('should end at once when it is cancelled, and leave nothing', async () => {
  await writeJournal(from, JOURNAL);
  await expect(adopt(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  await nothingNew();
});
