/** Takes the bytes of a body as they arrive. */
export interface ByteSink {
  /**
   * Must be done with `chunk` when it returns. `false` asks for a pause: nothing is written until `whenWritable`
   * resolves. What it throws ends the transfer.
   */
  write(chunk: Buffer): boolean;
  whenWritable(): Promise<void>;
  /** For sinks that let the kernel fill their memory. */
  direct?: {
    /** Memory for the next bytes; undefined when there is none now, and `write` has to be used. */
    reserve(): Uint8Array | undefined;
    /** So many bytes were put at the start of what was reserved last. `false` and what it throws mean what they do in `write`. */
    commit(bytes: number): boolean;
  };
}
