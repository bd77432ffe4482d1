import type { Writable } from 'node:stream';

/** Gives a program its input as fast as it takes it. */
export class Feeder {
  readonly #stdin: Writable;
  #fedBytes = 0;

  constructor(stdin: Writable) {
    this.#stdin = stdin;
    // A program that ended needs no more: how it ended says what that means.
    stdin.on('error', () => undefined);
  }

  /** What is being given included. */
  get fedBytes(): number {
    return this.#fedBytes;
  }

  /** @returns whether the program took all of it */
  async feed(pieces: AsyncIterable<Buffer>): Promise<boolean> {
    for await (const piece of pieces) {
      this.#fedBytes += piece.length;
      if (!(await this.#write(piece))) return false;
    }
    this.#stdin.end();
    return true;
  }

  #write(piece: Buffer): Promise<boolean> {
    return new Promise((resolve) => this.#stdin.write(piece, (error) => resolve(!error)));
  }
}
