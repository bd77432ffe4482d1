import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJournal, readJournal, removeJournal, writeJournal } from './journal.js';

describe('parseJournal', () => {
  it.each([
    ['', 'nothing'],
    ['{"syncedBytes":', 'a torn file'],
    ['null', 'null'],
    ['{"syncedBytes":-1}', 'a negative offset'],
    ['{"syncedBytes":1.5}', 'a broken offset'],
    ['{"syncedBytes":"5"}', 'a text for an offset'],
    ['{"syncedBytes":5,"source":{}}', 'a source without a URL'],
    ['{"syncedBytes":5,"source":{"url":"a","etag":1}}', 'an ETag that is no text'],
    ['{"syncedBytes":5,"finishedDigests":[{"algorithm":"SHA-256","value":"ab"}]}', 'a short digest'],
    ['{"syncedBytes":5,"finishedDigests":[{"algorithm":"CRC","value":"ab"}]}', 'an unknown digest'],
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
    const journal = { syncedBytes: 5, source: { url: 'http://a.example/', etag: '"1"', totalBytes: 9 } };
    await writeJournal(path, { syncedBytes: 1 });
    await writeJournal(path, journal);
    expect(await readJournal(path)).toEqual(journal);
    expect(await readdir(directory)).toEqual(['x.partial.journal']);
    await removeJournal(path);
    expect(await readJournal(path)).toBeUndefined();
  });

  it('removes what a killed write left behind', async () => {
    const path = join(directory, 'x.partial');
    await writeFile(`${path}.journal.tmp`, '{"synced');
    await removeJournal(path);
    expect(await readdir(directory)).toEqual([]);
  });
});
