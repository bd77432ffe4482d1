import fs from 'node:fs';
import { promisify } from 'node:util';
import { SlipwayError } from '../../shared/errors.js';
import { unlessAborted } from '../download/abort.js';
import { closeFile, openFile, poolFailure } from '../download/file-io.js';
import type { GrowingFile } from './growing-file.js';

const readAt = promisify(fs.read);

/** Reads a file behind those who write it, and never a byte that is not there for good. */
export class InputReader {
  readonly #input: GrowingFile;
  readonly #fd: number;

  private constructor(input: GrowingFile, fd: number) {
    this.#input = input;
    this.#fd = fd;
  }

  /** @throws SlipwayError SLIPWAY_POOL_IO */
  static async open(input: GrowingFile): Promise<InputReader> {
    try {
      return new InputReader(input, await openFile(input.path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW));
    } catch (error) {
      throw poolFailure(error);
    }
  }

  get isWhole(): boolean {
    return this.#input.isWhole;
  }

  /**
   * Reads what is there from `position` on, and waits while that is nothing.
   *
   * @param heldBackBytes so many bytes before the end of what is there are taken for not there
   * @returns 0 at the end of the file
   */
  async read(buffer: Buffer, position: number, signal: AbortSignal, heldBackBytes = 0): Promise<number> {
    for (;;) {
      const count = Math.min(buffer.length, this.#input.readyBytes - heldBackBytes - position);
      if (count > 0) return await this.#readNow(buffer.subarray(0, count), position);
      if (this.#input.isWhole) return 0;
      await this.#more(signal);
    }
  }

  /** @returns fewer bytes than asked for when the file ends before */
  async readFully(bytes: number, position: number, signal: AbortSignal): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    let done = 0;
    while (done < bytes) {
      const count = await this.read(buffer.subarray(done), position + done, signal);
      if (count === 0) break;
      done += count;
    }
    return buffer.subarray(0, done);
  }

  /** @returns the length of the whole file, when that is there */
  async whole(signal: AbortSignal): Promise<number> {
    while (!this.#input.isWhole) await this.#more(signal);
    return this.#input.readyBytes;
  }

  async close(): Promise<void> {
    await closeFile(this.#fd);
  }

  async #readNow(buffer: Buffer, position: number): Promise<number> {
    let bytesRead: number;
    try {
      ({ bytesRead } = await readAt(this.#fd, buffer, 0, buffer.length, position));
    } catch (error) {
      throw poolFailure(error);
    }
    if (bytesRead === 0) throw new SlipwayError('SLIPWAY_POOL_IO', 'The downloaded file became shorter');
    return bytesRead;
  }

  /** A download that fails tells nobody: its end is seen by the signal alone. */
  #more(signal: AbortSignal): Promise<void> {
    return unlessAborted(this.#input.whenMore(), signal);
  }
}
