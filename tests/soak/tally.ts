/** What came of the calls of one kind. */
const OUTCOMES = ['asked', 'unanswered', 'refused', 'succeeded', 'failed', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Counts what was asked and how it ended, and keeps what must not have happened. */
export class Tally {
  readonly violations: string[] = [];
  readonly #counts = new Map<string, Map<Outcome, number>>();
  readonly #reasons = new Map<string, number>();
  readonly #onViolation: (what: string) => void;

  /** @param onViolation told of each once, when it is noticed */
  constructor(onViolation: (what: string) => void) {
    this.#onViolation = onViolation;
  }

  count(what: string, outcome: Outcome): void {
    const counts = this.#counts.get(what) ?? new Map<Outcome, number>();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    this.#counts.set(what, counts);
  }

  /** Why something failed, as its stable code. */
  reason(code: string): void {
    this.#reasons.set(code, (this.#reasons.get(code) ?? 0) + 1);
  }

  violated(what: string): void {
    if (this.violations.includes(what)) return;
    this.violations.push(what);
    this.#onViolation(what);
  }

  /** A table for people. */
  toString(): string {
    const names = [...this.#counts.keys()].toSorted();
    const width = Math.max(...names.map((name) => name.length), 0);
    const row = (name: string, cells: readonly (string | number)[]): string =>
      [name.padEnd(width), ...cells.map((cell) => String(cell).padStart(11))].join('');
    const lines = names.map((name) =>
      row(
        name,
        OUTCOMES.map((outcome) => this.#counts.get(name)!.get(outcome) ?? 0),
      ),
    );
    const reasons = [...this.#reasons].toSorted(([a], [b]) => a.localeCompare(b));
    return [
      row('', OUTCOMES),
      ...lines,
      ...reasons.map(([code, count]) => `failed ${count} times with ${code}`),
      ...this.violations.map((violation) => `VIOLATED: ${violation}`),
    ].join('\n');
  }
}
