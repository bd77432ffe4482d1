import fc from 'fast-check';
import { type Interval, IntervalSet } from './interval-set.js';
import { type Extent, RangePlan, type Reader } from './range-plan.js';

const MIB = 1024 * 1024;
const MAX_CHUNK_BYTES = 128 * MIB;
const MIN_CHUNK_BYTES = MIB;

/** A connection as the transfers are: it has a place of its own in a body, and takes what is wanted there. */
class SimulatedReader implements Reader {
  extent: Extent | undefined;
  position = 0;
  endByte = 0;
  readonly mirror: object;
  readonly bytesPerSecond: number;

  constructor(mirror: object, bytesPerSecond: number) {
    this.mirror = mirror;
    this.bytesPerSecond = bytesPerSecond;
  }
}

interface Simulation {
  totalBytes: number;
  pieceBytes: number | undefined;
  held: Interval[];
  /** Of each mirror: its speeds, one for each connection. */
  speeds: number[][];
}

const simulations: fc.Arbitrary<Simulation> = fc.integer({ min: 0, max: 300 * MIB }).chain((totalBytes) =>
  fc.record({
    totalBytes: fc.constant(totalBytes),
    pieceBytes: fc.option(fc.integer({ min: 100_000, max: 5 * MIB }), { nil: undefined }),
    held: fc
      .array(fc.tuple(fc.nat({ max: totalBytes }), fc.nat({ max: totalBytes })), { maxLength: 4 })
      .map((pairs) => [
        ...new IntervalSet(pairs.map(([a, b]) => ({ fromByte: Math.min(a, b), endByte: Math.max(a, b) }))).list,
      ]),
    speeds: fc.array(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 500 * MIB })), { minLength: 1, maxLength: 3 }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  }),
);

describe('a plan', () => {
  it('has every byte taken once and once again for each refusal, whatever its readers do', () => {
    fc.assert(
      fc.property(simulations, fc.infiniteStream(fc.nat()), ({ totalBytes, pieceBytes, held, speeds }, randoms) => {
        const random = (below: number): number => (randoms.next().value as number) % below;
        const plan = new RangePlan({ held, totalBytes, pieceBytes });
        const missing = new IntervalSet(new IntervalSet(held).gaps(totalBytes));
        const mirrors = speeds.map((_, index) => ({ name: `mirror ${index}` }));
        const readers = speeds.flatMap((connections, index) =>
          connections.map((speed) => new SimulatedReader(mirrors[index] as object, speed)),
        );
        const takenBy = new Map<object, IntervalSet>(mirrors.map((mirror) => [mirror, new IntervalSet()]));
        let refusals = 0;

        const release = (reader: SimulatedReader): void => {
          if (reader.extent) plan.release(reader.extent, reader);
          reader.extent = undefined;
        };
        const claim = (reader: SimulatedReader): void => {
          const isHedge = (extent: Extent): boolean => extent.readers.size > 1;
          const extent = plan.claim(reader, readers.length, new Set(mirrors));
          if (!extent) return;
          expect(extent.position).toBeLessThan(extent.endByte);
          const bytes = extent.endByte - extent.position;
          if (readers.length > 1 && extent.position === extent.fromByte && !isHedge(extent)) {
            expect(bytes).toBeLessThanOrEqual(Math.max(MAX_CHUNK_BYTES, totalBytes / 2 + MIB) + (pieceBytes ?? 1));
          }
          if (extent.suspects?.has(reader.mirror)) {
            expect(mirrors.every((mirror) => extent.suspects?.has(mirror))).toBe(true);
          }
          Object.assign(reader, { extent, position: extent.position, endByte: extent.endByte });
        };
        const receive = (reader: SimulatedReader): void => {
          const { extent } = reader;
          if (!extent) return;
          let bytes = Math.min(1 + random(8 * MIB), reader.endByte - reader.position);
          // What others have brought meanwhile is passed over.
          const skipped = Math.min(bytes, Math.max(0, extent.position - reader.position));
          reader.position += skipped;
          bytes = Math.min(bytes - skipped, extent.endByte - extent.position);
          if (bytes > 0) {
            const end = extent.position + bytes;
            expect(missing.endOfRun(extent.position)).toBeGreaterThanOrEqual(end);
            missing.remove(extent.position, end);
            takenBy.forEach((set, mirror) =>
              mirror === reader.mirror ? set.add(extent.position, end) : set.remove(extent.position, end),
            );
            plan.take(extent, reader, bytes);
            reader.position = end;
          }
          if (extent.position < extent.endByte) return void (reader.position >= reader.endByte && release(reader));
          release(reader);
          if (reader.position >= reader.endByte || random(2) === 0) return;
          const next = plan.claimBehind(reader, reader.position);
          if (!next) return;
          // The body of a request ends where it ends.
          Object.assign(reader, { extent: next });
        };
        const refuse = (): void => {
          if (pieceBytes === undefined || refusals >= 4) return;
          const fromByte = Math.floor(random(Math.max(1, totalBytes)) / pieceBytes) * pieceBytes;
          const piece = { fromByte, endByte: Math.min(totalBytes, fromByte + pieceBytes) };
          const isThere = new IntervalSet(missing.gaps(totalBytes)).endOfRun(fromByte) >= piece.endByte;
          if (!isThere || fromByte >= piece.endByte) return;
          refusals += 1;
          missing.add(piece.fromByte, piece.endByte);
          const culprit = plan.refuse(piece);
          const whole = mirrors.filter((mirror) => (takenBy.get(mirror)?.endOfRun(fromByte) ?? 0) >= piece.endByte);
          expect(culprit).toBe(whole[0]);
          for (const set of takenBy.values()) set.remove(piece.fromByte, piece.endByte);
        };

        for (let step = 0; !plan.isDone; step++) {
          expect(step).toBeLessThan(50_000);
          // Failures end at some time, as tries do.
          const isCalm = step > 300;
          const reader = readers[isCalm ? step % readers.length : random(readers.length)] as SimulatedReader;
          const event = random(100);
          if (!isCalm && event < 3) release(reader);
          else if (!isCalm && event < 6) refuse();
          else if (reader.extent) receive(reader);
          else claim(reader);
        }
        expect(missing.bytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  const reader = (mirror: object, bytesPerSecond = MIB): Reader => ({ mirror, bytesPerSecond });
  const A = { name: 'a' };
  const B = { name: 'b' };
  const both = new Set([A, B]);

  it('gives one reader everything in one request, and several readers parts by their speed', () => {
    const totalBytes = 1000 * MIB;
    expect(new RangePlan({ held: [], totalBytes }).claim(reader(A), 1, new Set([A]))).toMatchObject({
      endByte: totalBytes,
    });
    const plan = new RangePlan({ held: [], totalBytes });
    const sizes = [0, 1, 10 * MIB, 1000 * MIB].map((speed) => {
      const extent = plan.claim(reader(A, speed), 4, both) as Extent;
      return extent.endByte - extent.fromByte;
    });
    expect(sizes).toEqual([4 * MIB, MIN_CHUNK_BYTES, 20 * MIB, MAX_CHUNK_BYTES]);
  });

  it('lets ranges end with pieces', () => {
    const pieceBytes = 700_001;
    const plan = new RangePlan({ held: [{ fromByte: 0, endByte: 5 }], totalBytes: 100 * MIB, pieceBytes });
    for (let index = 0; index < 5; index++) expect((plan.claim(reader(A), 2, both)?.endByte ?? 1) % pieceBytes).toBe(0);
  });

  it('lets the fast finish what the slow would take too long for', () => {
    const plan = new RangePlan({ held: [], totalBytes: 100 * MIB });
    const slow = plan.claim(reader(A, MIB), 1, both) as Extent;
    const stolen = plan.claim(reader(B, 9 * MIB), 2, both) as Extent;
    expect([slow.endByte, stolen.fromByte, stolen.endByte]).toEqual([10 * MIB, 10 * MIB, 100 * MIB]);
  });

  it('leaves one that began alone its next chunk, and gives out the rest from there on', () => {
    const plan = new RangePlan({ held: [], totalBytes: 1024 * MIB });
    const alone = plan.claim(reader(A, 10 * MIB), 1, both) as Extent;
    const other = plan.claim(reader(B, 10 * MIB), 2, both) as Extent;
    expect([alone.endByte, other.fromByte, other.endByte]).toEqual([20 * MIB, 20 * MIB, 40 * MIB]);
  });

  it('skips bytes only for a server without ranges', () => {
    const plan = new RangePlan({ held: [{ fromByte: MIB, endByte: 2 * MIB }], totalBytes: 3 * MIB });
    plan.claim(reader(A), 1, both);
    expect(plan.claimBehind(reader(A), MIB, false)).toBeUndefined();
    expect(plan.claimBehind(reader(A), MIB, true)).toMatchObject({ fromByte: 2 * MIB, endByte: 3 * MIB });
  });

  it('lets the last bytes of a stalled reader be read by another, and by no third one', () => {
    const plan = new RangePlan({ held: [], totalBytes: MIB });
    const extent = plan.claim(reader(A, 0), 1, both);
    expect(plan.claim(reader(B), 2, both)).toBe(extent);
    expect(plan.claim(reader(B), 3, both)).toBeUndefined();
  });

  it('keeps what it knows of suspects when a repair is left in the middle', () => {
    const plan = new RangePlan({ held: [], totalBytes: 2 * MIB, pieceBytes: MIB });
    const bad = reader(A);
    const whole = plan.claim(bad, 1, both) as Extent;
    plan.take(whole, bad, 2 * MIB);
    plan.release(whole, bad);
    expect(plan.refuse({ fromByte: 0, endByte: MIB })).toBe(A);
    expect(plan.claim(bad, 2, both)).toBeUndefined();
    const good = reader(B);
    const repair = plan.claim(good, 2, both) as Extent;
    plan.take(repair, good, 1000);
    plan.release(repair, good);
    expect(plan.claim(bad, 2, both)).toBeUndefined();
    expect(plan.claim(good, 2, both)).toMatchObject({ fromByte: 1000, endByte: MIB });
  });

  it('remembers runs, not every turn that mirrors take', () => {
    const plan = new RangePlan({ held: [], totalBytes: 100 * MIB });
    const [a, b] = [reader(A), reader(B)];
    const [first, second] = [plan.claim(a, 2, both) as Extent, plan.claim(b, 2, both) as Extent];
    for (let turn = 0; turn < 1000; turn++) {
      plan.take(first, a, 10);
      plan.take(second, b, 10);
    }
    expect(plan.contributionsOf(A)).toEqual([{ fromByte: 0, endByte: 10_000, mirror: A }]);
  });
});
