/** Bytes of a file: the first one, and the offset behind the last one. */
export interface Interval {
  fromByte: number;
  endByte: number;
}

/** Sorted intervals that neither overlap nor touch. */
export class IntervalSet {
  #intervals: Interval[];

  constructor(intervals: readonly Interval[] = []) {
    this.#intervals = [];
    for (const { fromByte, endByte } of intervals) this.add(fromByte, endByte);
  }

  add(fromByte: number, endByte: number): void {
    if (fromByte >= endByte) return;
    const touching = this.#intervals.filter((known) => known.fromByte <= endByte && known.endByte >= fromByte);
    const merged = {
      fromByte: Math.min(fromByte, ...touching.map((known) => known.fromByte)),
      endByte: Math.max(endByte, ...touching.map((known) => known.endByte)),
    };
    this.#intervals = [...this.#intervals.filter((known) => !touching.includes(known)), merged].sort(byStart);
  }

  remove(fromByte: number, endByte: number): void {
    if (fromByte >= endByte) return;
    this.#intervals = this.#intervals.flatMap((known) =>
      known.endByte <= fromByte || known.fromByte >= endByte
        ? [known]
        : [
            { fromByte: known.fromByte, endByte: Math.min(known.endByte, fromByte) },
            { fromByte: Math.max(known.fromByte, endByte), endByte: known.endByte },
          ].filter((part) => part.fromByte < part.endByte),
    );
  }

  /** Where the bytes end that begin at `position` without a hole; `position` itself when it is not in the set. */
  endOfRun(position: number): number {
    const run = this.#intervals.find(({ fromByte, endByte }) => fromByte <= position && position < endByte);
    return run?.endByte ?? position;
  }

  get bytes(): number {
    return this.#intervals.reduce((sum, { fromByte, endByte }) => sum + endByte - fromByte, 0);
  }

  get list(): readonly Interval[] {
    return this.#intervals;
  }

  /** What lacks below `endByte`. */
  gaps(endByte: number): Interval[] {
    const gaps = new IntervalSet([{ fromByte: 0, endByte }]);
    for (const known of this.#intervals) gaps.remove(known.fromByte, known.endByte);
    return [...gaps.list];
  }
}

const byStart = (a: Interval, b: Interval): number => a.fromByte - b.fromByte;
