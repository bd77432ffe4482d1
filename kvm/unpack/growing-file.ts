/** A file that a download is growing, for readers that follow it in order. */
export interface GrowingFile {
  path: string;
  /** Bytes from the start that are there for good: written, and not refuted by a piece hash. Never becomes less. */
  readonly readyBytes: number;
  /** Whether `readyBytes` is the whole file. */
  readonly isWhole: boolean;
  /** Resolves when `readyBytes` or `isWhole` has changed since the call. */
  whenMore(): Promise<void>;
}
