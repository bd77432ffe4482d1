import { poolFailure } from './file-io.js';
import type { DownloadFile } from './download-file.js';
import type { Interval } from './interval-set.js';
import { type FinishedFile, removeJournal, writeJournal } from './journal.js';
import type { SourceIdentity } from './source-identity.js';

/** What a crash may cost, beside what arrives while a sync runs. */
const MAX_UNSYNCED_BYTES = 64 * 1024 * 1024;
const MAX_UNSYNCED_MS = 250;

export type CheckpointedFile = Pick<
  DownloadFile,
  'written' | 'writtenBytes' | 'submitPartials' | 'syncWritten' | 'reset' | 'takeBack'
>;

/**
 * Syncs the file and its journal behind the writer's back. It bounds what a crash loses, and spreads the work of the
 * final sync over the download: without it, all dirty pages would be written after the last byte.
 */
export class Checkpointer {
  readonly #file: CheckpointedFile;
  readonly #partialPath: string;
  #syncedBytes: number;
  #lastAtMs: number;
  /** Whatever writes or removes the journal, of which two at once would leave a torn one, or an older one. */
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  #isFinished = false;

  constructor(file: CheckpointedFile, partialPath: string, nowMs: number) {
    this.#file = file;
    this.#partialPath = partialPath;
    this.#syncedBytes = file.writtenBytes;
    this.#lastAtMs = nowMs;
  }

  /** To be called often: starts a checkpoint when one is due. Throws the failure of an earlier one. */
  tick(nowMs: number, source: SourceIdentity | undefined): void {
    if (this.#failure) throw this.#failure;
    if (this.#running || this.#isFinished || !source) return;
    const unsyncedBytes = this.#file.writtenBytes - this.#syncedBytes;
    const isLong = nowMs - this.#lastAtMs >= MAX_UNSYNCED_MS;
    // For the next checkpoint: what waits in memory is not written yet.
    if (isLong) this.#file.submitPartials();
    if (unsyncedBytes < MAX_UNSYNCED_BYTES && !(isLong && unsyncedBytes > 0)) return;
    this.#lastAtMs = nowMs;
    this.#alone(() => this.#checkpoint(source)).catch((error: unknown) => {
      this.#failure = poolFailure(error);
    });
  }

  /** Syncs what is there now. */
  async save(source: SourceIdentity | undefined): Promise<void> {
    await this.#alone(async () => {
      if (source && this.#file.writtenBytes !== this.#syncedBytes) await this.#checkpoint(source);
    });
  }

  /** Drops the file's bytes; in this order, since the journal must never vouch for bytes that are not there. */
  async reset(): Promise<void> {
    await this.#forget(() => this.#file.reset());
  }

  /** Forgets some bytes; in the same order. */
  async takeBack(intervals: readonly Interval[]): Promise<void> {
    await this.#forget(() => this.#file.takeBack(intervals));
  }

  /** Records the end of the download. The file must be synced. */
  async finish(source: SourceIdentity | undefined, finished: FinishedFile): Promise<void> {
    this.#isFinished = true;
    await this.#alone(() => writeJournal(this.#partialPath, { synced: [...this.#file.written], source, finished }));
  }

  /** Resolves when the journal is left alone. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running.catch(() => undefined);
  }

  async #forget(act: () => Promise<void>): Promise<void> {
    await this.#alone(async () => {
      await removeJournal(this.#partialPath);
      await act();
      this.#syncedBytes = 0;
    });
  }

  async #checkpoint(source: SourceIdentity): Promise<void> {
    const synced = await this.#file.syncWritten();
    await writeJournal(this.#partialPath, { synced: [...synced], source });
    this.#syncedBytes = synced.reduce((sum, { fromByte, endByte }) => sum + endByte - fromByte, 0);
  }

  /** @throws SlipwayError SLIPWAY_POOL_FULL, SLIPWAY_POOL_IO */
  async #alone(act: () => Promise<void>): Promise<void> {
    while (this.#running) await this.#running.catch(() => undefined);
    this.#running = act().finally(() => (this.#running = undefined));
    try {
      await this.#running;
    } catch (error) {
      throw poolFailure(error);
    }
  }
}
