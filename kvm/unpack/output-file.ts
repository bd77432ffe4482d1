import fs from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { closeFile, openFile, poolFailure, statFile, syncData, syncFile } from '../download/file-io.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = fs.constants;
const readAt = promisify(fs.read);

/** What may have to be written at the end, when all waits for it. */
const MAX_UNSYNCED_BYTES = 64 * 1024 ** 2;

/** Of `stat`. */
const BLOCK_BYTES = 512;

/** A new file that other programs write to, through a descriptor that they share with us. */
export class OutputFile {
  readonly #path: string;
  readonly fd: number;
  #syncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #syncFailure: unknown;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.fd = fd;
  }

  /** Replaces what an earlier try left. */
  static async create(path: string): Promise<OutputFile> {
    await rm(path, { force: true });
    return new OutputFile(path, await openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  }

  /** How far the programs are, holes included, and how much of that takes space. */
  async state(): Promise<{ outputBytes: number; storedBytes: number }> {
    const [description, { size, blocks }] = await Promise.all([
      readFile(`/proc/self/fdinfo/${this.fd}`, 'latin1'),
      statFile(this.fd),
    ]);
    // A hole at the end is no part of the file yet. The position is that of all who share the descriptor.
    const position = Number(/^pos:\s*(\d+)/m.exec(description)?.[1] ?? 0);
    return { outputBytes: Math.max(size, position), storedBytes: blocks * BLOCK_BYTES };
  }

  /** @returns fewer bytes than asked for while there are no more */
  async head(bytes: number): Promise<Buffer> {
    const { buffer, bytesRead } = await readAt(this.fd, Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  }

  /** Brings to disk, beside the programs, what they have written up to `outputBytes`. Throws an earlier failure of it. */
  syncBehind(outputBytes: number): void {
    // The kernel tells of lost bytes once: the next sync succeeds without them.
    if (this.#syncFailure !== undefined) throw this.#syncFailure as Error;
    if (this.#syncing || outputBytes - this.#syncedBytes < MAX_UNSYNCED_BYTES) return;
    this.#syncedBytes = outputBytes;
    this.#syncing = syncData(this.fd)
      .catch((error: unknown) => {
        this.#syncFailure = poolFailure(error);
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  /** Makes the file survive a power cut. */
  async finish(): Promise<void> {
    await this.#syncing;
    if (this.#syncFailure !== undefined) throw this.#syncFailure as Error;
    await syncFile(this.fd);
  }

  async close(): Promise<void> {
    // A descriptor that is closed under a sync could be another file's by then.
    await this.#syncing;
    await closeFile(this.fd);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
