/** What a benchmark hands to the command that ran it. */
export interface BenchResult {
  /** The figure that the goal speaks of. */
  ratio: number;
  /** A table for a person. */
  lines: string[];
  /** Goes into the JSON beside the ratio. */
  figures: Record<string, unknown>;
}

export interface BenchOptions {
  /** Smaller, for a look while working; the goal is judged without it. */
  isQuick: boolean;
  /** How often each contender has its turn. */
  rounds?: number | undefined;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
