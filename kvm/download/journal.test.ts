import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJournal, readJournal, removeJournal, writeJournal } from './journal.js';

describe('parseJournal', () => {
  it.each([
    ['', 'nothing'],
    ['{"synced":[', 'a torn file'],
    ['null', 'null'],
    ['{"synced":[{"fromByte":-1,"endByte":5}]}', 'a negative offset'],
    ['{"synced":[{"fromByte":0,"endByte":1.5}]}', 'a broken offset'],
    ['{"synced":[{"fromByte":0,"endByte":"5"}]}', 'a text for an offset'],
    ['{"synced":[{"fromByte":5,"endByte":5}]}', 'an empty interval'],
    ['{"synced":[{"fromByte":5,"endByte":9},{"fromByte":0,"endByte":2}]}', 'intervals out of order'],
    ['{"synced":[{"fromByte":0,"endByte":9},{"fromByte":4,"endByte":12}]}', 'intervals that overlap'],
    ['{"synced":[],"source":{}}', 'a source without a URL'],
    ['{"synced":[],"source":{"url":"a","etag":1}}', 'an ETag that is no text'],
    ['{"synced":[],"finished":{"digests":[]}}', 'a finished file without a size'],
    ['{"synced":[],"finished":{"sizeBytes":5,"digests":[{"algorithm":"SHA-256","value":"ab"}]}}', 'a short digest'],
    ['{"synced":[],"finished":{"sizeBytes":5,"digests":[{"algorithm":"CRC","value":"ab"}]}}', 'an unknown digest'],
    ['{"synced":[],"finished":{"sizeBytes":5,"digests":[],"unpacked":{"compression":"rar"}}}', 'an unknown packing'],
  ])('believes nothing of %s (%s)', (text) => {
    expect(parseJournal(text)).toBeUndefined();
  });
});

describe('a journal on disk', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('comes back as it was written, and leaves no other file', async () => {
    const path = join(directory, 'x.partial');
    const journal = {
      synced: [{ fromByte: 0, endByte: 5 }],
      source: { url: 'http://a.example/', etag: '"1"', totalBytes: 9 },
    };
    await writeJournal(path, { synced: [] });
    await writeJournal(path, journal);
    expect(await readJournal(path)).toEqual(journal);
    expect(await readdir(directory)).toEqual(['x.partial.journal']);
    await removeJournal(path);
    expect(await readJournal(path)).toBeUndefined();
  });

  it('is neither written nor read through a link that somebody has put there', async () => {
    const path = join(directory, 'x.partial');
    const other = join(directory, 'other');
    await writeFile(other, '{"synced":[]}');
    await symlink(other, `${path}.journal`);
    expect(await readJournal(path)).toBeUndefined();
    await symlink(other, `${path}.journal.tmp`);
    await writeJournal(path, { synced: [{ fromByte: 0, endByte: 5 }] });
    expect(await readFile(other, 'utf8')).toBe('{"synced":[]}');
    expect(await readJournal(path)).toEqual({ synced: [{ fromByte: 0, endByte: 5 }] });
  });

  it('removes what a killed write left behind', async () => {
    const path = join(directory, 'x.partial');
    await writeFile(`${path}.journal.tmp`, '{"synced');
    await removeJournal(path);
    expect(await readdir(directory)).toEqual([]);
  });
});
