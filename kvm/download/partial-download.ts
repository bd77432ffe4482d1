import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { DigestAlgorithm } from '../../shared/checksum.js';
import type { PieceHashes } from '../../shared/images.js';
import { Checkpointer } from './checkpointer.js';
import { DownloadFile } from './download-file.js';
import { poolFailure } from './file-io.js';
import type { Interval } from './interval-set.js';
import { type FinishedFile, readJournal } from './journal.js';
import type { SourceIdentity } from './source-identity.js';

async function sizeOnDisk(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** The file at `partialPath` if a download of it was finished, by its journal. */
export async function readFinished(partialPath: string): Promise<FinishedFile | undefined> {
  try {
    const finished = (await readJournal(partialPath))?.finished;
    return finished && (await sizeOnDisk(partialPath)) === finished.sizeBytes ? finished : undefined;
  } catch (error) {
    throw poolFailure(error);
  }
}

export interface PartialDownloadOptions {
  path: string;
  algorithms: readonly DigestAlgorithm[];
  pieces?: (PieceHashes & { totalBytes: number }) | undefined;
  onRefused: (piece: Interval) => void;
}

/** A partial file with its journal and its checkpoints: everything on this side of the network. */
export class PartialDownload {
  readonly file: DownloadFile;
  /** Bytes that an earlier process left. */
  readonly resumedFromBytes: number;
  /** Of the bytes in the file; undefined when there are none. */
  identity: SourceIdentity | undefined;
  readonly #checkpointer: Checkpointer;

  private constructor(path: string, file: DownloadFile, identity: SourceIdentity | undefined) {
    this.file = file;
    this.identity = identity;
    this.resumedFromBytes = file.writtenBytes;
    this.#checkpointer = new Checkpointer(file, path, performance.now());
  }

  /** Trusts what the journal says was synced, and nothing more. */
  static async open(options: PartialDownloadOptions): Promise<PartialDownload> {
    const { path } = options;
    let held: Interval[] = [];
    let source: SourceIdentity | undefined;
    try {
      const journal = await readJournal(path);
      const size = await sizeOnDisk(path);
      if (journal?.source && (journal.synced.at(-1)?.endByte ?? 0) <= size) {
        held = journal.synced;
        source = held.length > 0 ? journal.source : undefined;
      }
    } catch (error) {
      throw poolFailure(error);
    }
    return new PartialDownload(path, await DownloadFile.open({ ...options, held }), source);
  }

  /** Makes a checkpoint if one is due. Throws when the disk has failed. */
  tick(nowMs: number): void {
    this.#checkpointer.tick(nowMs, this.identity);
  }

  /** Drops all bytes. */
  async reset(): Promise<void> {
    this.identity = undefined;
    await this.#checkpointer.reset();
  }

  /** Forgets bytes that turned out to be of another file. */
  async takeBack(intervals: readonly Interval[]): Promise<void> {
    await this.#checkpointer.takeBack(intervals);
  }

  /** Syncs the whole file and tells its digests. */
  async finish(): Promise<FinishedFile> {
    await this.#checkpointer.idle();
    const digests = await this.file.finish();
    return { sizeBytes: this.file.writtenBytes, digests };
  }

  /** Makes a later call answer without the network. */
  async recordFinished(finished: FinishedFile): Promise<void> {
    await this.#checkpointer.finish(this.identity, finished);
  }

  /** Keeps what arrived for the next try, if the disk still takes it. */
  async save(): Promise<void> {
    await this.file.whenWritten();
    await this.#checkpointer.save(this.identity);
  }

  async close(): Promise<void> {
    await this.#checkpointer.idle();
    await this.file.close();
  }
}
