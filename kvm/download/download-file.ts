import { constants } from 'node:fs';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';
import type { PieceHashes } from '../../shared/images.js';
import type { GrowingFile } from '../unpack/growing-file.js';
import { ChangeSignal } from './change-signal.js';
import { closeFile, openFile, poolFailure, statFile, syncData, syncFile, truncateFile, writeFully } from './file-io.js';
import { FileWriter, type SlotTarget } from './file-writer.js';
import { startHashThread, type Hashed, type HashThread } from './hash-thread.js';
import { IntervalSet, type Interval } from './interval-set.js';
import { type Slot, SlotPool } from './slot-pool.js';

/** What the hash thread reads from the page cache in one go: longer, and a wrong piece would be noticed later. */
const HASH_STEP_BYTES = 8 * 1024 * 1024;

export interface DownloadFileOptions {
  path: string;
  /** Bytes that are there already and may be kept. */
  held: readonly Interval[];
  algorithms: readonly DigestAlgorithm[];
  pieces?: (PieceHashes & { totalBytes: number }) | undefined;
  /** These bytes were thrown away since the hash of their piece is wrong. */
  onRefused: (piece: Interval) => void;
}

/**
 * The file that a download fills from several places at once. Slots of shared memory go to the disk writer and, when
 * they continue what is hashed, to the hash thread at the same time; the rest is hashed from the page cache when its
 * turn comes. Memory stays the same for any file size; when no slot is free the sources have to wait.
 */
export class DownloadFile implements SlotTarget, GrowingFile {
  readonly path: string;
  readonly slots = new SlotPool();
  readonly #fd: number;
  readonly #hashes: HashThread;
  readonly #options: DownloadFileOptions;
  #written: IntervalSet;
  /** Bytes from the start that the hash thread has been told to hash. */
  #queuedBytes = 0;
  #hashedBytes = 0;
  #isRefused = false;
  #isHashingFile = false;
  #isWhole = false;
  /** Ends of everything submitted so far: writes follow one another, for they would only wait for each other. */
  #writes: Promise<void> = Promise.resolve();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #writers = new Set<FileWriter>();
  readonly #changed = new ChangeSignal();
  failure: Error | undefined;

  private constructor(fd: number, options: DownloadFileOptions) {
    this.path = options.path;
    this.#fd = fd;
    this.#options = options;
    this.#written = new IntervalSet(options.held);
    const { algorithms, pieces } = options;
    this.#hashes = startHashThread({ algorithms, pieces, fd, slots: this.slots.memory });
    this.#hashWritten();
  }

  /**
   * Opens or creates the file; bytes behind the last one held are dropped.
   *
   * @throws SlipwayError SLIPWAY_POOL_FULL, SLIPWAY_POOL_IO
   */
  static async open(options: DownloadFileOptions): Promise<DownloadFile> {
    let fd: number | undefined;
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
      fd = await openFile(options.path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
      const stats = await statFile(fd);
      // With another name it may be anything on that file system, a disk of a VM for instance.
      if (!stats.isFile() || stats.nlink > 1) throw new Error('something else is in the place of the downloaded file');
      await truncateFile(fd, options.held.at(-1)?.endByte ?? 0);
      return new DownloadFile(fd, options);
    } catch (error) {
      if (fd !== undefined) await closeFile(fd);
      throw poolFailure(error);
    }
  }

  /** For one transfer, which has to `release` it. */
  writer(): FileWriter {
    const writer = new FileWriter(this);
    this.#writers.add(writer);
    return writer;
  }

  async release(writer: FileWriter): Promise<void> {
    this.#writers.delete(writer);
    await writer.close();
  }

  /** Hands to the disk what waits in slots that are not full. */
  submitPartials(): void {
    for (const writer of this.#writers) writer.submitPartial();
  }

  /** What the operating system has. */
  get written(): readonly Interval[] {
    return this.#written.list;
  }

  get writtenBytes(): number {
    return this.#written.bytes;
  }

  get hashedBytes(): number {
    return this.#hashedBytes;
  }

  get readyBytes(): number {
    return Math.min(this.#hashedBytes, this.#written.endOfRun(0));
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  async whenMore(): Promise<void> {
    const { readyBytes, isWhole } = this;
    while (this.readyBytes === readyBytes && this.isWhole === isWhole) {
      if (this.failure) throw this.failure;
      await this.#changed.wait();
    }
  }

  /** Resolves when the next slot or hash is done, or something has failed. */
  whenChanged(): Promise<void> {
    return this.#changed.wait();
  }

  /** Resolves when all that was submitted is written and, as far as it goes without a hole, hashed. */
  async flush(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    if (this.failure) throw this.failure;
  }

  /** Resolves when all that was submitted is written, however much is still to be hashed. */
  async whenWritten(): Promise<void> {
    await this.#writes;
    if (this.failure) throw this.failure;
  }

  /** Makes what is written survive a power cut; resolves with the bytes that do. */
  async syncWritten(): Promise<readonly Interval[]> {
    const written = this.#written.list;
    await this.#sync(syncData);
    return written;
  }

  /** Forgets bytes that turned out to be of another file. What is hashed of the rest is hashed anew. */
  async takeBack(intervals: readonly Interval[]): Promise<void> {
    await this.#hashAnewAfter(async () => {
      // Some of them may still be on their way to the disk.
      await this.#writes;
      for (const { fromByte, endByte } of intervals) this.#written.remove(fromByte, endByte);
    });
    this.#hashWritten();
  }

  /** Drops all bytes. Writers must be closed. */
  async reset(): Promise<void> {
    await this.#hashAnewAfter(async () => {
      // The file must not become shorter under what is being hashed.
      await this.flush();
      await truncateFile(this.#fd, 0);
      this.#written = new IntervalSet();
    });
  }

  /** Flushes, syncs size and bytes, and tells the digests of the whole file. */
  async finish(): Promise<Digest[]> {
    await this.flush();
    this.#isWhole = true;
    this.#changed.notify();
    try {
      const [digests] = await Promise.all([this.#hashes.digests(), this.#sync(syncFile)]);
      return digests;
    } catch (error) {
      throw poolFailure(error);
    }
  }

  async close(): Promise<void> {
    this.#fail(new Error('The file was closed'));
    await this.#hashes.stop();
    // A descriptor that is closed under a write could be another file's by then.
    await Promise.allSettled(this.#inFlight);
    await closeFile(this.#fd);
  }

  submit(slot: Slot): void {
    const { index, buffer, offset, length } = slot;
    const isNext = offset === this.#queuedBytes && !this.#isRefused;
    if (isNext) this.#queuedBytes += length;
    // Not together with the write: answers have to be heard in their order.
    const hash = isNext ? this.#hashes.hashSlot(index, length).then((hashed) => this.#onHashed(hashed)) : undefined;
    const write = this.#writes.then(async () => {
      if (this.failure) return;
      await writeFully(this.#fd, buffer.subarray(0, length), offset);
      this.#written.add(offset, offset + length);
    });
    this.#writes = write.catch(() => undefined);
    this.#track(
      Promise.all([write, hash]).then(() => {
        this.slots.give(slot);
        this.#hashWritten();
      }),
    );
  }

  #track(work: Promise<unknown>): void {
    const done = work
      .then(
        () => undefined,
        (error: unknown) => this.#fail(poolFailure(error)),
      )
      .finally(() => {
        this.#inFlight.delete(done);
        this.#changed.notify();
      });
    this.#inFlight.add(done);
  }

  #onHashed({ goodBytes, refusedAt }: Hashed): void {
    if (!this.#isRefused) this.#hashedBytes = goodBytes;
    if (refusedAt === undefined || this.#isRefused || !this.#options.pieces) return;
    this.#isRefused = true;
    const { lengthBytes, totalBytes } = this.#options.pieces;
    this.#track(this.#refuse({ fromByte: refusedAt, endByte: Math.min(refusedAt + lengthBytes, totalBytes) }));
  }

  async #refuse(piece: Interval): Promise<void> {
    // Bytes of the piece may still be on their way to the disk: they would count as written after it was refused.
    await this.#writes;
    this.#written.remove(piece.fromByte, piece.endByte);
    this.#queuedBytes = piece.fromByte;
    await this.#hashes.resume();
    this.#isRefused = false;
    this.#options.onRefused(piece);
    this.#hashWritten();
  }

  /** Nothing is hashed while bytes are thrown away: it would be for nothing, or of bytes that are no more. */
  async #hashAnewAfter(throwAway: () => Promise<void>): Promise<void> {
    this.#isRefused = true;
    try {
      await throwAway();
      this.#queuedBytes = 0;
      this.#hashedBytes = (await this.#hashes.reset()).goodBytes;
    } catch (error) {
      throw poolFailure(error);
    } finally {
      this.#isRefused = false;
    }
  }

  /** Hashes what was written out of order, once everything before it is hashed. */
  #hashWritten(): void {
    if (this.#isHashingFile || this.#isRefused || this.failure) return;
    const fromByte = this.#queuedBytes;
    const endByte = Math.min(this.#written.endOfRun(fromByte), fromByte + HASH_STEP_BYTES);
    if (endByte === fromByte) return;
    this.#queuedBytes = endByte;
    this.#isHashingFile = true;
    this.#track(
      this.#hashes.hashFile(fromByte, endByte).then((hashed) => {
        this.#isHashingFile = false;
        this.#onHashed(hashed);
        this.#hashWritten();
      }),
    );
  }

  /** The kernel tells of lost bytes once: the next sync succeeds without them. So one failure is for ever. */
  async #sync(sync: (fd: number) => Promise<void>): Promise<void> {
    try {
      await sync(this.#fd);
    } catch (error) {
      const failure = poolFailure(error);
      this.#fail(failure);
      throw failure;
    }
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.slots.wakeAll();
    this.#changed.notify();
  }
}
