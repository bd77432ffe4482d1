import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpointer, type CheckpointedFile } from './checkpointer.js';
import { ChangeSignal } from './change-signal.js';
import type { Interval } from './interval-set.js';
import { readJournal } from './journal.js';

/** A file whose syncs take as long as a test wants: on a real one nobody can tell when they end. */
class SlowFile implements CheckpointedFile {
  written: Interval[] = [];
  readonly syncing = new ChangeSignal();
  readonly #slow = new ChangeSignal();

  get writtenBytes(): number {
    return this.written.reduce((sum, { fromByte, endByte }) => sum + endByte - fromByte, 0);
  }

  submitPartials(): void {
    // All is written.
  }

  async syncWritten(): Promise<readonly Interval[]> {
    const { written } = this;
    const ended = this.#slow.wait();
    this.syncing.notify();
    await ended;
    return written;
  }

  endSyncs(): void {
    this.#slow.notify();
  }

  reset(): Promise<void> {
    this.written = [];
    return Promise.resolve();
  }

  takeBack(): Promise<void> {
    this.written = [{ fromByte: 0, endByte: 10 }];
    return Promise.resolve();
  }
}

const SOURCE = { url: 'http://a.example/disk' };
const FINISHED = { sizeBytes: 100, digests: [] };

let directory: string;
let partialPath: string;
let file: SlowFile;
let checkpointer: Checkpointer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-checkpointer-'));
  partialPath = join(directory, 'x.partial');
  file = new SlowFile();
  checkpointer = new Checkpointer(file, partialPath, 0);
  file.written = [{ fromByte: 0, endByte: 100 }];
});
afterEach(() => rm(directory, { recursive: true }));

describe('checkpoints', () => {
  it('that are under way when a download ends do not undo its end', async () => {
    checkpointer.tick(1_000, SOURCE);
    const recorded = checkpointer.finish(SOURCE, FINISHED);
    file.endSyncs();
    await recorded;
    expect(await readJournal(partialPath)).toEqual({ synced: file.written, source: SOURCE, finished: FINISHED });
  });

  it('do not begin any more once a download has ended', async () => {
    await checkpointer.finish(SOURCE, FINISHED);
    checkpointer.tick(1_000, SOURCE);
    file.endSyncs();
    await checkpointer.idle();
    expect(await readJournal(partialPath)).toMatchObject({ finished: FINISHED });
    expect(await readdir(directory)).toEqual(['x.partial.journal']);
  });

  it('do not begin while the last one of a failed download is made', async () => {
    const syncing = file.syncing.wait();
    const saved = checkpointer.save(SOURCE);
    await syncing;
    let syncs = 0;
    void file.syncing.wait().then(() => (syncs += 1));
    checkpointer.tick(1_000, SOURCE);
    file.endSyncs();
    await saved;
    expect(syncs).toBe(0);
    expect(await readJournal(partialPath)).toEqual({ synced: file.written, source: SOURCE });
  });

  it('never vouch for bytes that are taken back meanwhile', async () => {
    checkpointer.tick(1_000, SOURCE);
    file.endSyncs();
    await checkpointer.idle();
    const takenBack = checkpointer.takeBack([{ fromByte: 10, endByte: 100 }]);
    // The journal is being removed: a checkpoint begun now would write it again, with the old bytes.
    await new Promise(setImmediate);
    checkpointer.tick(2_000, SOURCE);
    file.endSyncs();
    await takenBack;
    await checkpointer.idle();
    file.endSyncs();
    expect((await readJournal(partialPath))?.synced ?? []).not.toContainEqual({ fromByte: 0, endByte: 100 });
  });
});
