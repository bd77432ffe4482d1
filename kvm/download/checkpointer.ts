import { poolFailure } from './file-io.js';
import type { DownloadFile } from './download-file.js';
import type { Interval } from './interval-set.js';
import { removeJournal, writeJournal } from './journal.js';
import type { SourceIdentity } from './source-identity.js';

/** What a crash may cost, beside what arrives while a sync runs. */
const MAX_UNSYNCED_BYTES = 64 * 1024 * 1024;
const MAX_UNSYNCED_MS = 250;

/**
 * Syncs the file and its journal behind the writer's back. It bounds what a crash loses, and spreads the work of the
 * final sync over the download: without it, all dirty pages would be written after the last byte.
 */
export class Checkpointer {
  readonly #file: DownloadFile;
  readonly #partialPath: string;
  #syncedBytes: number;
  #lastAtMs: number;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(file: DownloadFile, partialPath: string, nowMs: number) {
    this.#file = file;
    this.#partialPath = partialPath;
    this.#syncedBytes = file.writtenBytes;
    this.#lastAtMs = nowMs;
  }

  /** To be called often: starts a checkpoint when one is due. Throws the failure of an earlier one. */
  tick(nowMs: number, source: SourceIdentity | undefined): void {
    if (this.#failure) throw this.#failure;
    if (this.#running || !source) return;
    const unsyncedBytes = this.#file.writtenBytes - this.#syncedBytes;
    const isLong = nowMs - this.#lastAtMs >= MAX_UNSYNCED_MS;
    // For the next checkpoint: what waits in memory is not written yet.
    if (isLong) this.#file.submitPartials();
    if (unsyncedBytes < MAX_UNSYNCED_BYTES && !(isLong && unsyncedBytes > 0)) return;
    this.#lastAtMs = nowMs;
    this.#running = this.#checkpoint(source)
      .catch((error: unknown) => {
        this.#failure = poolFailure(error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Syncs what is there now. */
  async save(source: SourceIdentity | undefined): Promise<void> {
    await this.idle();
    if (source && this.#file.writtenBytes !== this.#syncedBytes) await this.#checkpoint(source);
  }

  /** Drops the file's bytes; in this order, since the journal must never vouch for bytes that are not there. */
  async reset(): Promise<void> {
    await this.idle();
    try {
      await removeJournal(this.#partialPath);
    } catch (error) {
      throw poolFailure(error);
    }
    await this.#file.reset();
    this.#syncedBytes = 0;
  }

  /** Forgets some bytes; in the same order. */
  async takeBack(intervals: readonly Interval[]): Promise<void> {
    await this.idle();
    try {
      await removeJournal(this.#partialPath);
    } catch (error) {
      throw poolFailure(error);
    }
    await this.#file.takeBack(intervals);
    this.#syncedBytes = 0;
  }

  /** Resolves when no checkpoint is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #checkpoint(source: SourceIdentity): Promise<void> {
    const synced = await this.#file.syncWritten();
    await writeJournal(this.#partialPath, { synced: [...synced], source });
    this.#syncedBytes = synced.reduce((sum, { fromByte, endByte }) => sum + endByte - fromByte, 0);
  }
}
