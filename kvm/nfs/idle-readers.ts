import type { NfsReader } from './nfs-reader.js';

/** Readers that wait for more work, by URL. */
export class IdleReaders {
  readonly #maxIdleMs: number;
  readonly #entries = new Map<NfsReader, { href: string; timer: NodeJS.Timeout }>();
  #isClosed = false;

  constructor(maxIdleMs: number) {
    this.#maxIdleMs = maxIdleMs;
  }

  take(href: string): NfsReader | undefined {
    for (const [reader, entry] of this.#entries) {
      if (entry.href !== href) continue;
      this.#forget(reader);
      if (reader.isAlive) return reader;
    }
    return undefined;
  }

  put(href: string, reader: NfsReader): void {
    if (this.#isClosed) return reader.kill();
    const timer = setTimeout(() => this.#end(reader), this.#maxIdleMs);
    this.#entries.set(reader, { href, timer });
  }

  /** Ends those that wait, and at once those that come later. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#entries.keys()) this.#end(reader);
  }

  #end(reader: NfsReader): void {
    this.#forget(reader);
    reader.kill();
  }

  #forget(reader: NfsReader): void {
    clearTimeout(this.#entries.get(reader)?.timer);
    this.#entries.delete(reader);
  }
}
