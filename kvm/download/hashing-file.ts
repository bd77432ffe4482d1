import { constants } from 'node:fs';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';
import { closeFile, openFile, poolFailure, syncData, syncFile, truncateFile, writeFully } from './file-io.js';
import { startHashThread, type HashThread } from './hash-thread.js';
import type { ByteSink } from './http-exchange.js';

/**
 * A slot stays in the processor's cache from the socket to hash and disk: with 1 MiB the kernel's share of the time is
 * half as much again. 8 MiB in all ride out a slow write without stopping the socket.
 */
const SLOT_BYTES = 256 * 1024;
const SLOT_COUNT = 32;

interface Slot {
  index: number;
  buffer: Buffer;
  length: number;
}

/**
 * The file that a download grows: bytes are copied into slots of shared memory, which the disk writer and the hash
 * thread read at the same time. Memory stays the same for any file size; when no slot is free the source has to wait.
 */
export class HashingFile implements ByteSink {
  readonly #path: string;
  readonly #fd: number;
  readonly #hashes: HashThread;
  readonly #free: Slot[];
  #current: Slot | undefined;
  /** The current slot is where a socket will put its next bytes: it must stay where it is. */
  #isReserved = false;
  /** Bytes of a chunk that found no free slot. */
  #overflow: Buffer | undefined;
  #acceptedBytes = 0;
  #writtenBytes = 0;
  /** Ends of everything submitted so far; writes follow one another, so that `writtenBytes` has no holes. */
  #writes: Promise<void> = Promise.resolve();
  readonly #inFlight = new Set<Promise<void>>();
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  private constructor(path: string, fd: number, algorithms: readonly DigestAlgorithm[]) {
    this.#path = path;
    this.#fd = fd;
    const memory = Array.from({ length: SLOT_COUNT }, () => new SharedArrayBuffer(SLOT_BYTES));
    this.#hashes = startHashThread(algorithms, memory);
    this.#free = memory.map((shared, index) => ({ index, buffer: Buffer.from(shared), length: 0 }));
  }

  /**
   * Opens or creates the file, keeps its first `keepBytes`, which are hashed from disk, and drops the rest.
   *
   * @throws SlipwayError SLIPWAY_POOL_FULL, SLIPWAY_POOL_IO
   */
  static async open(path: string, keepBytes: number, algorithms: readonly DigestAlgorithm[]): Promise<HashingFile> {
    let file: HashingFile | undefined;
    try {
      const fd = await openFile(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      file = new HashingFile(path, fd, algorithms);
      await truncateFile(fd, keepBytes);
      await file.#hashPrefix(keepBytes);
      return file;
    } catch (error) {
      await file?.close();
      throw poolFailure(error);
    }
  }

  /** Bytes taken in, whether they are on disk yet or not. */
  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  /** Bytes from the start of the file that the operating system has. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  readonly direct = {
    reserve: (): Uint8Array | undefined => {
      // `write` is then told of the failure, or waits for a slot.
      if (this.#failure || this.#overflow) return undefined;
      const slot = (this.#current ??= this.#free.pop());
      this.#isReserved = slot !== undefined;
      return slot?.buffer.subarray(slot.length);
    },
    commit: (bytes: number): void => {
      if (this.#failure) throw this.#failure;
      const slot = this.#current;
      if (!slot || !this.#isReserved) throw new Error('Nothing was reserved');
      this.#isReserved = false;
      this.#acceptedBytes += bytes;
      slot.length += bytes;
      this.#submitIfFull(slot);
    },
  };

  write(chunk: Buffer): boolean {
    if (this.#failure) throw this.#failure;
    this.#acceptedBytes += chunk.length;
    const rest = this.#fill(chunk);
    if (rest.length === 0) return true;
    this.#overflow = this.#overflow ? Buffer.concat([this.#overflow, rest]) : rest;
    return false;
  }

  whenWritable(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (!this.#overflow) return resolve();
      this.#waiting = { resolve, reject };
    });
  }

  /** Hands a slot that is not full yet to the disk, so that a slow source's bytes do not wait for the rest. */
  submitPartial(): void {
    const slot = this.#current;
    if (!slot || slot.length === 0 || this.#isReserved) return;
    this.#current = undefined;
    this.#submit(slot);
  }

  /** Resolves when all accepted bytes are written and hashed. Whoever reserved memory must be gone. */
  async flush(): Promise<void> {
    this.#isReserved = false;
    await this.whenWritable();
    this.submitPartial();
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    if (this.#failure) throw this.#failure;
  }

  /** Makes what is written survive a power cut; resolves with the number of bytes that do. */
  async syncWritten(): Promise<number> {
    const bytes = this.#writtenBytes;
    await this.#sync(syncData);
    return bytes;
  }

  /** Drops all bytes. */
  async reset(): Promise<void> {
    await this.flush();
    try {
      await truncateFile(this.#fd, 0);
      await this.#hashes.reset();
    } catch (error) {
      throw poolFailure(error);
    }
    this.#acceptedBytes = 0;
    this.#writtenBytes = 0;
  }

  /** Flushes, syncs size and bytes, and tells the digests of the whole file. */
  async finish(): Promise<Digest[]> {
    await this.flush();
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

  async #hashPrefix(bytes: number): Promise<void> {
    if (bytes > 0) await this.#hashes.hashFile(this.#path, bytes);
    this.#acceptedBytes = bytes;
    this.#writtenBytes = bytes;
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

  /** Copies into slots as far as they reach; returns what is left. */
  #fill(chunk: Buffer): Buffer {
    let rest = chunk;
    while (rest.length > 0) {
      const slot = (this.#current ??= this.#free.pop());
      if (!slot) return rest;
      const count = rest.copy(slot.buffer, slot.length);
      slot.length += count;
      rest = rest.subarray(count);
      this.#submitIfFull(slot);
    }
    return rest;
  }

  #submitIfFull(slot: Slot): void {
    if (slot.length < SLOT_BYTES) return;
    this.#current = undefined;
    this.#submit(slot);
  }

  #submit(slot: Slot): void {
    const { index, buffer, length } = slot;
    const write = this.#writes.then(async () => {
      if (this.#failure) return;
      await writeFully(this.#fd, buffer.subarray(0, length), this.#writtenBytes);
      this.#writtenBytes += length;
    });
    this.#writes = write.catch(() => undefined);
    const done = Promise.all([write, this.#hashes.hashSlot(index, length)])
      .then(
        () => this.#release(slot),
        (error: unknown) => this.#fail(poolFailure(error)),
      )
      .finally(() => this.#inFlight.delete(done));
    this.#inFlight.add(done);
  }

  #release(slot: Slot): void {
    slot.length = 0;
    this.#free.push(slot);
    const overflow = this.#overflow;
    if (!overflow) return;
    const rest = this.#fill(overflow);
    this.#overflow = rest.length > 0 ? rest : undefined;
    if (this.#overflow) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }
}
