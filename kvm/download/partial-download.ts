import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';
import type { DownloadProgress } from '../../shared/images.js';
import { Checkpointer } from './checkpointer.js';
import { poolFailure } from './file-io.js';
import { HashingFile } from './hashing-file.js';
import { readJournal, writeJournal } from './journal.js';
import type { SourceIdentity } from './source-identity.js';
import { SpeedMeter } from './speed-meter.js';

const TICK_MS = 100;

async function sizeOnDisk(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

export interface FinishedFile {
  sizeBytes: number;
  digests: Digest[];
}

/** The file at `partialPath` if a download of it was finished, by its journal. */
export async function readFinished(partialPath: string): Promise<FinishedFile | undefined> {
  try {
    const journal = await readJournal(partialPath);
    if (!journal?.finishedDigests || (await sizeOnDisk(partialPath)) !== journal.syncedBytes) return undefined;
    return { sizeBytes: journal.syncedBytes, digests: journal.finishedDigests };
  } catch (error) {
    throw poolFailure(error);
  }
}

/** A partial file with its journal, checkpoints and progress: everything on this side of the network. */
export class PartialDownload {
  readonly file: HashingFile;
  /** Bytes that an earlier process left. */
  readonly resumedFromBytes: number;
  /** Of the bytes in the file; undefined when there are none. */
  identity: SourceIdentity | undefined;
  readonly #path: string;
  readonly #checkpointer: Checkpointer;
  #timer: NodeJS.Timeout | undefined;

  private constructor(path: string, file: HashingFile, identity: SourceIdentity | undefined) {
    this.#path = path;
    this.file = file;
    this.identity = identity;
    this.resumedFromBytes = file.acceptedBytes;
    this.#checkpointer = new Checkpointer(file, path, performance.now());
  }

  /** Trusts what the journal says was synced, and nothing more. */
  static async open(path: string, algorithms: readonly DigestAlgorithm[]): Promise<PartialDownload> {
    let keepBytes = 0;
    let source: SourceIdentity | undefined;
    try {
      const journal = await readJournal(path);
      const size = await sizeOnDisk(path);
      if (journal?.source && journal.syncedBytes <= size) {
        keepBytes = journal.syncedBytes;
        source = keepBytes > 0 ? journal.source : undefined;
      }
    } catch (error) {
      throw poolFailure(error);
    }
    return new PartialDownload(path, await HashingFile.open(path, keepBytes, algorithms), source);
  }

  /** Reports progress and makes checkpoints until `close`; `fail` is told when the disk fails meanwhile. */
  start(fail: (error: Error) => void, onProgress?: (progress: DownloadProgress) => void): void {
    const speed = new SpeedMeter(this.file.acceptedBytes, performance.now());
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const bytes = this.file.acceptedBytes;
      const bytesPerSecond = speed.update(bytes, nowMs);
      try {
        this.#checkpointer.tick(nowMs, this.identity);
      } catch (error) {
        fail(error as Error);
      }
      if (this.identity) {
        const { url, totalBytes } = this.identity;
        onProgress?.({
          bytes,
          bytesPerSecond,
          mirrors: [{ url, bytes, bytesPerSecond }],
          hashedBytes: bytes,
          writtenBytes: this.file.writtenBytes,
          ...(totalBytes === undefined ? {} : { totalBytes }),
        });
      }
    }, TICK_MS);
  }

  /** Drops all bytes. */
  async reset(): Promise<void> {
    this.identity = undefined;
    await this.#checkpointer.reset();
  }

  async finish(): Promise<FinishedFile> {
    clearInterval(this.#timer);
    const { file, identity } = this;
    await this.#checkpointer.idle();
    const digests = await file.finish();
    const sizeBytes = file.writtenBytes;
    try {
      await writeJournal(this.#path, { syncedBytes: sizeBytes, source: identity, finishedDigests: digests });
    } catch (error) {
      throw poolFailure(error);
    }
    return { sizeBytes, digests };
  }

  /** Keeps what arrived for the next try, if the disk still takes it. */
  async save(): Promise<void> {
    clearInterval(this.#timer);
    await this.file.flush();
    await this.#checkpointer.save(this.identity);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checkpointer.idle();
    await this.file.close();
  }
}
