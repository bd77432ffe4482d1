import { type Interval, IntervalSet } from './interval-set.js';

const MIB = 1024 * 1024;
/** Below this a request costs more than it brings. */
const MIN_CHUNK_BYTES = MIB;
/** The first request to a mirror of which no speed is known. */
const FIRST_CHUNK_BYTES = 4 * MIB;
const MAX_CHUNK_BYTES = 128 * MIB;
/** A request should last about so long: the wait for its answer is then small beside it. */
const CHUNK_SECONDS = 2;
const MIN_CHUNK_SECONDS = 0.2;
/** What ends so soon is not worth another request. */
const SOON_SECONDS = 0.25;
/** A reader that needs so many times longer than another would gets company for its last bytes. */
const HEDGE_FACTOR = 2;
const MAX_READERS_OF_EXTENT = 2;

/** One connection to a mirror. */
export interface Reader {
  /** Told apart by identity: two may look alike when they are shown. */
  readonly mirror: object;
  /** 0 while it is not known. */
  readonly bytesPerSecond: number;
}

/** Bytes that are being fetched. Of several readers the first one to bring a byte counts. */
export interface Extent {
  readonly fromByte: number;
  /** Next byte wanted. */
  position: number;
  endByte: number;
  readonly readers: Set<Reader>;
  /**
   * Of a piece that was wrong once: who may have sent it. It is fetched by one mirror alone, so that it is known who is
   * to blame the next time.
   */
  readonly suspects: ReadonlySet<object> | undefined;
}

interface Repair extends Interval {
  suspects: ReadonlySet<object>;
}

interface Contribution extends Interval {
  mirror: object;
}

export interface RangePlanOptions {
  held: readonly Interval[];
  totalBytes?: number | undefined;
  /** Of the pieces with hashes: ranges end with them, so that a piece comes from one mirror. */
  pieceBytes?: number | undefined;
}

/** Who fetches which bytes: decisions only. Ranges are given out from the start on, for hashing follows them. */
export class RangePlan {
  readonly #gaps: IntervalSet;
  readonly #extents = new Set<Extent>();
  readonly #pieceBytes: number;
  #repairs: Repair[] = [];
  #contributions: Contribution[] = [];
  #totalBytes: number | undefined;

  constructor({ held, totalBytes, pieceBytes = 1 }: RangePlanOptions) {
    this.#totalBytes = totalBytes;
    this.#pieceBytes = pieceBytes;
    this.#gaps = new IntervalSet(new IntervalSet(held).gaps(totalBytes ?? Number.POSITIVE_INFINITY));
  }

  get totalBytes(): number | undefined {
    return this.#totalBytes;
  }

  /** Nothing is left to fetch. */
  get isDone(): boolean {
    if (this.#gaps.list.length > 0 || this.#repairs.length > 0) return false;
    // A reader that was overtaken may still hold an extent that is complete.
    return [...this.#extents].every(({ position, endByte }) => position >= endByte);
  }

  /** Learned from the first answer, or from the end of a body without a length. */
  setTotal(totalBytes: number): void {
    this.#totalBytes = totalBytes;
    this.#gaps.remove(totalBytes, Number.POSITIVE_INFINITY);
    for (const extent of this.#extents) extent.endByte = Math.min(extent.endByte, totalBytes);
  }

  /**
   * Bytes for a reader that has nothing to do; undefined when the others do better alone.
   *
   * @param mirrors those that could fetch a range, this one included
   */
  claim(reader: Reader, readers: number, mirrors: ReadonlySet<object>): Extent | undefined {
    const repair = this.#repairs.find(({ suspects }) => isFreeOf(suspects, reader.mirror, mirrors));
    if (repair) {
      this.#repairs = this.#repairs.filter((other) => other !== repair);
      return this.#begin(repair, reader, repair.suspects);
    }
    if (this.#gaps.list.length === 0) this.#cutLongest(readers);
    const [gap] = this.#gaps.list;
    if (!gap) return this.#share(reader);
    // The whole of it in one request, when nobody else is there.
    const chunkBytes = readers === 1 ? Number.POSITIVE_INFINITY : this.#chunkBytes(reader, readers);
    const endByte = Math.min(gap.endByte, this.#upToPiece(gap.fromByte + chunkBytes));
    this.#gaps.remove(gap.fromByte, endByte);
    return this.#begin({ fromByte: gap.fromByte, endByte }, reader);
  }

  /**
   * For a body that goes on: the next bytes nobody fetches, from `position` on.
   *
   * @param canSkip whether bytes between may come for nothing: a server without ranges cannot be asked for others
   */
  claimBehind(reader: Reader, position: number, canSkip = true): Extent | undefined {
    const gap = this.#gaps.list.find(({ endByte }) => endByte > position);
    if (!gap || (gap.fromByte > position && !canSkip)) return undefined;
    const fromByte = Math.max(gap.fromByte, position);
    this.#gaps.remove(fromByte, gap.endByte);
    return this.#begin({ fromByte, endByte: gap.endByte }, reader);
  }

  /** The next `bytes` of an extent have come. */
  take(extent: Extent, { mirror }: Reader, bytes: number): void {
    const fromByte = extent.position;
    extent.position += bytes;
    // Mirrors take turns: an entry for each turn would be as many as there are chunks in the file.
    const run = this.#contributions.findLast((known) => known.mirror === mirror && known.endByte === fromByte);
    if (run) run.endByte = extent.position;
    else this.#contributions.push({ fromByte, endByte: extent.position, mirror });
  }

  /** A reader leaves; what nobody reads any more is free again. */
  release(extent: Extent, reader: Reader): void {
    extent.readers.delete(reader);
    if (extent.readers.size > 0 || !this.#extents.delete(extent)) return;
    const { position, endByte, suspects } = extent;
    if (suspects && position < endByte) this.#repairs.push({ fromByte: position, endByte, suspects });
    else this.#gaps.add(position, endByte);
  }

  /**
   * Bytes of a piece were wrong and have to come again, from elsewhere if there is an elsewhere.
   *
   * @returns the mirror that brought all of it, if it was one alone: bytes of an earlier process are nobody's
   */
  refuse(piece: Interval): object | undefined {
    const isInside = ({ fromByte, endByte }: Interval): boolean => fromByte < piece.endByte && endByte > piece.fromByte;
    const inside = this.#contributions.filter(isInside);
    const suspects = new Set(inside.map(({ mirror }) => mirror));
    this.#contributions = this.#contributions.flatMap((run) =>
      isInside(run)
        ? [
            { ...run, endByte: Math.min(run.endByte, piece.fromByte) },
            { ...run, fromByte: Math.max(run.fromByte, piece.endByte) },
          ].filter(({ fromByte, endByte }) => fromByte < endByte)
        : [run],
    );
    this.#repairs.push({ ...piece, suspects });
    const isKnown = new IntervalSet(inside).endOfRun(piece.fromByte) >= piece.endByte;
    return isKnown && suspects.size === 1 ? inside[0]?.mirror : undefined;
  }

  /** All that a mirror brought, which is free again once it is forgotten. */
  contributionsOf(mirror: object): Interval[] {
    return this.#contributions.filter((known) => known.mirror === mirror);
  }

  giveBack(mirror: object): void {
    for (const { fromByte, endByte } of this.contributionsOf(mirror)) this.#gaps.add(fromByte, endByte);
    this.#contributions = this.#contributions.filter((known) => known.mirror !== mirror);
  }

  /** Nobody is to blame for bytes that were found right. */
  forgetBefore(goodBytes: number): void {
    this.#contributions = this.#contributions.filter(({ endByte }) => endByte > goodBytes);
  }

  #begin({ fromByte, endByte }: Interval, reader: Reader, suspects?: ReadonlySet<object>): Extent {
    const extent: Extent = { fromByte, position: fromByte, endByte, readers: new Set([reader]), suspects };
    this.#extents.add(extent);
    return extent;
  }

  /**
   * Frees what one that began alone was to fetch beyond its next chunk. Halves of the file would be hashed one after the
   * other, the second only once the first has come.
   */
  #cutLongest(readers: number): void {
    const [longest] = [...this.#extents].filter(isShareable).sort((a, b) => restBytesOf(b) - restBytesOf(a));
    const [owner] = longest?.readers ?? [];
    if (!longest || !owner || longest.readers.size > 1) return;
    const { endByte } = longest;
    const chunkBytes = this.#chunkBytes(owner, readers, restBytesOf(longest));
    const cutByte = this.#upToPiece(longest.position + chunkBytes);
    // What is near its end is shared by speed.
    if (endByte - cutByte < MAX_CHUNK_BYTES) return;
    longest.endByte = cutByte;
    this.#gaps.add(cutByte, endByte);
  }

  #chunkBytes({ bytesPerSecond }: Reader, readers: number, freeBytes = this.#gaps.bytes): number {
    if (bytesPerSecond === 0) return FIRST_CHUNK_BYTES;
    // Towards the end ranges become smaller, so that all mirrors end at the same time.
    const fairBytes = freeBytes / (1.5 * readers);
    const leastBytes = Math.max(MIN_CHUNK_BYTES, bytesPerSecond * MIN_CHUNK_SECONDS);
    return Math.min(MAX_CHUNK_BYTES, Math.max(leastBytes, Math.min(fairBytes, bytesPerSecond * CHUNK_SECONDS)));
  }

  /** The part of another reader's extent that this one would have sooner. */
  #share(reader: Reader): Extent | undefined {
    const [slowest] = [...this.#extents]
      .filter((extent) => isShareable(extent) && !extent.readers.has(reader))
      .sort((a, b) => secondsLeft(b) - secondsLeft(a));
    if (!slowest || secondsLeft(slowest) < SOON_SECONDS) return undefined;
    const restBytes = restBytesOf(slowest);
    const theirs = speedOf(slowest);
    const ours = reader.bytesPerSecond || theirs;
    if (slowest.readers.size === 1 && restBytes >= 2 * MIN_CHUNK_BYTES) {
      const theirShare = ours + theirs === 0 ? 0.5 : theirs / (ours + theirs);
      const splitByte = this.#upToPiece(slowest.position + Math.ceil(restBytes * theirShare));
      if (slowest.endByte - splitByte >= MIN_CHUNK_BYTES) {
        const { endByte } = slowest;
        slowest.endByte = splitByte;
        return this.#begin({ fromByte: splitByte, endByte }, reader);
      }
    }
    if (secondsLeft(slowest) < HEDGE_FACTOR * (SOON_SECONDS + restBytes / (ours || 1))) return undefined;
    slowest.readers.add(reader);
    return slowest;
  }

  #upToPiece(position: number): number {
    return Math.ceil(position / this.#pieceBytes) * this.#pieceBytes;
  }
}

const isFreeOf = (suspects: ReadonlySet<object>, mirror: object, mirrors: ReadonlySet<object>): boolean =>
  !suspects.has(mirror) || [...mirrors].every((other) => suspects.has(other));

const isShareable = ({ suspects, position, endByte, readers }: Extent): boolean =>
  !suspects && position < endByte && readers.size < MAX_READERS_OF_EXTENT;

const speedOf = ({ readers }: Extent): number => Math.max(...[...readers].map(({ bytesPerSecond }) => bytesPerSecond));

const restBytesOf = ({ position, endByte }: Extent): number => endByte - position;

const secondsLeft = (extent: Extent): number => restBytesOf(extent) / speedOf(extent);
