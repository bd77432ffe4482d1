import type { OnReadOpts, Socket } from 'node:net';

const SCRATCH_BYTES = 64 * 1024;

export interface WireReader {
  /** Memory for the next bytes; undefined for the wire's own. */
  nextBuffer(): Uint8Array | undefined;
  /** `false` stops reading until `resume`. */
  onBytes(bytes: Buffer, isScratch: boolean): boolean;
  onEnd(): void;
  onClose(error: Error | undefined): void;
}

/**
 * A TCP or TLS connection whose bytes the kernel puts where its present reader wants them. Readers follow one another:
 * one for each request on a connection that is kept alive.
 */
export class Wire {
  readonly socket: Socket;
  /** Takes what has no place of its own. Its bytes are used up before the next read. */
  readonly #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  #reader: WireReader | undefined;
  /** Has said or got something between two readers: nobody could tell what it means. */
  #isSpoiled = false;

  /** @param takesMemory `false` for a socket that heeds no `onread`, as Node's do on top of another socket */
  constructor(open: (onread: OnReadOpts) => Socket, takesMemory = true) {
    const take = (bytes: Buffer, isScratch: boolean): boolean => {
      if (this.#reader) return this.#reader.onBytes(bytes, isScratch);
      this.#isSpoiled = true;
      return false;
    };
    this.socket = open({
      buffer: () => this.#reader?.nextBuffer() ?? this.#scratch,
      callback: (length, memory) =>
        take(Buffer.from(memory.buffer, memory.byteOffset, length), memory === this.#scratch),
    });
    if (!takesMemory) {
      this.socket.on('data', (bytes: Buffer) => {
        if (!take(bytes, true)) this.socket.pause();
      });
    }
    this.socket.setNoDelay(true);
    let failure: Error | undefined;
    this.socket.on('error', (error) => (failure = error));
    this.socket.on('end', () => {
      this.#isSpoiled = true;
      this.#reader?.onEnd();
    });
    this.socket.on('close', () => {
      this.#isSpoiled = true;
      this.#reader?.onClose(failure);
    });
  }

  attach(reader: WireReader): void {
    this.#reader = reader;
  }

  /** Between two requests. */
  detach(): void {
    this.#reader = undefined;
    // So that a server that closes an idle connection is noticed before the next request.
    this.socket.resume();
  }

  get isUsable(): boolean {
    return !this.#isSpoiled && !this.socket.destroyed;
  }
}
