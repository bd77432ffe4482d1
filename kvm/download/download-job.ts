import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import type { MirrorReport, PieceHashes } from '../../shared/images.js';
import { throwIfAborted } from './abort.js';
import { ChangeSignal } from './change-signal.js';
import type { SourceFailureDetails } from './classify-failure.js';
import type { Interval } from './interval-set.js';
import { Lane } from './lane.js';
import { ableMirrors, nextMirror, slowLanes } from './mirror-choice.js';
import type { Mirror } from './mirror.js';
import { type Extent, RangePlan } from './range-plan.js';
import { decideRetry } from './retry-decision.js';
import { BeginAnew, transferExtent, type TransferRules } from './transfer-extent.js';

const MIB = 1024 * 1024;
/** What is left is not worth another mirror, as long as one is at work. */
const MIN_SHARED_BYTES = 2 * MIB;

export interface JobOptions extends TransferRules {
  mirrors: readonly Mirror[];
  /** Announced by a metalink. */
  expectedSizeBytes?: number | undefined;
  pieces?: PieceHashes | undefined;
  /** How many mirrors may be at work at once. */
  maxMirrors: number;
  signal: AbortSignal;
  /** Whoever reads the file has to let go of it while bytes are thrown away, and to begin anew. */
  withoutReader: (act: () => Promise<void>) => Promise<void>;
}

/**
 * Brings the bytes of one file from its mirrors, all at the same time where that is allowed. Each connection is a lane
 * that asks the plan for bytes, fetches them, and asks again; what a lane leaves undone goes to another.
 */
export class DownloadJob {
  readonly #options: JobOptions;
  readonly #changed = new ChangeSignal();
  readonly #lanes = new Set<Lane>();
  #plan: RangePlan;
  /** Ends all lanes. */
  #failure: unknown;

  constructor(options: JobOptions) {
    this.#options = options;
    this.#plan = this.#newPlan();
    // Held bytes have their say about the size, and their source about its version.
    const { identity } = options.partial;
    const owner = options.mirrors.find(({ shown }) => shown === identity?.url);
    if (owner && identity) owner.identity = identity;
  }

  get reports(): MirrorReport[] {
    return this.#options.mirrors.map(({ report }) => report);
  }

  get lanes(): Iterable<Lane> {
    return this.#lanes;
  }

  get totalBytes(): number | undefined {
    return this.#plan.totalBytes;
  }

  /** A piece was thrown away: others than those who brought it have to bring it again. */
  refuse(piece: Interval): void {
    const culprit = this.#plan.refuse(piece);
    const { mirrors } = this.#options;
    const guilty = mirrors.find((mirror) => mirror === culprit);
    const hasOthers = mirrors.some((other) => other !== guilty && other.state !== 'failed');
    if (guilty?.isGuilty(hasOthers)) {
      const where = `bytes ${piece.fromByte} to ${piece.endByte - 1}`;
      this.#leave(guilty, new SlipwayError('SLIPWAY_SOURCE_PIECE', `${guilty.shown}: ${where} have a wrong hash`));
    }
    this.#changed.notify();
  }

  /** To be called about ten times a second. */
  tick(nowMs: number): void {
    for (const lane of this.#lanes) lane.tick(nowMs);
    if (this.#options.pieces) this.#plan.forgetBefore(this.#options.partial.file.readyBytes);
    for (const { source, bytesPerSecond } of slowLanes(this.#lanes, nowMs)) {
      source.wasSlow = true;
      const speed = `${Math.round(bytesPerSecond / 1024)} KiB/s`;
      this.#leave(source, new SlipwayError('SLIPWAY_SOURCE_SLOW', `${source.shown}: ${speed}, far less than others`));
    }
    this.#changed.notify();
  }

  /**
   * Resolves when the file is whole and hashed.
   *
   * @throws SlipwayError SLIPWAY_SOURCES_EXHAUSTED with `MirrorReport[]` as details; of the pool; AbortError
   */
  async run(): Promise<void> {
    while (!(await this.#runOnce())) {
      const { withoutReader, partial } = this.#options;
      await withoutReader(() => partial.reset());
      for (const mirror of this.#options.mirrors) mirror.beginAnew();
      this.#plan = this.#newPlan();
    }
  }

  #newPlan(): RangePlan {
    const { partial, expectedSizeBytes, pieces } = this.#options;
    return new RangePlan({
      held: partial.file.written,
      totalBytes: expectedSizeBytes ?? partial.identity?.totalBytes,
      pieceBytes: pieces?.lengthBytes,
    });
  }

  /** @returns false when all bytes have to go first */
  async #runOnce(): Promise<boolean> {
    const { partial, signal } = this.#options;
    const onAbort = (): void => this.#changed.notify();
    signal.addEventListener('abort', onAbort);
    this.#failure = undefined;
    const running: Promise<void>[] = [];
    try {
      for (;;) {
        throwIfAborted(signal);
        if (partial.file.failure) throw partial.file.failure;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#isComplete) return true;
        running.push(...this.#startLanes());
        // Once everything is there only hashing is left, which may still send pieces back.
        const isHashing = this.#plan.isDone && this.#plan.totalBytes !== undefined;
        if (this.#lanes.size === 0 && !isHashing) throw this.#exhausted();
        await (isHashing ? Promise.race([this.#changed.wait(), partial.file.whenChanged()]) : this.#changed.wait());
      }
    } catch (error) {
      if (error instanceof BeginAnew) return false;
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      for (const lane of this.#lanes) lane.stop();
      this.#changed.notify();
      await Promise.all(running);
    }
  }

  get #isComplete(): boolean {
    const { totalBytes, isDone } = this.#plan;
    if ([...this.#lanes].some(({ isUndecided }) => isUndecided)) return false;
    return isDone && totalBytes !== undefined && this.#options.partial.file.readyBytes >= totalBytes;
  }

  #exhausted(): SlipwayError {
    const { reports } = this;
    const lines = reports.flatMap(({ reason }) => reason ?? []);
    return new SlipwayError('SLIPWAY_SOURCES_EXHAUSTED', ['No source could be read', ...lines].join('\n'), {
      details: reports,
    });
  }

  #startLanes(): Promise<void>[] {
    const started: Promise<void>[] = [];
    const { mirrors, maxMirrors } = this.#options;
    const working = (): Mirror[] => mirrors.filter(({ state }) => state === 'working');
    const start = (mirror: Mirror): void => void started.push(this.#runLane(mirror));
    for (;;) {
      const next = nextMirror(mirrors);
      if (!next || working().length >= maxMirrors || (working().length > 0 && !this.#canShare)) break;
      next.begin();
      start(next);
    }
    if (!this.#canShare) return started;
    for (const mirror of working()) {
      while (mirror.hasRanges && mirror.identity && mirror.connections < mirror.maxConnections) start(mirror);
    }
    return started;
  }

  /** Whether there is work for more than one lane. */
  get #canShare(): boolean {
    const { totalBytes, isDone } = this.#plan;
    if (isDone) return false;
    // Those who wait for another try must not make the others wait.
    if (![...this.#lanes].some(({ isBusy }) => isBusy)) return true;
    if (totalBytes === undefined) return false;
    return totalBytes - this.#options.partial.file.writtenBytes >= MIN_SHARED_BYTES;
  }

  async #runLane(mirror: Mirror): Promise<void> {
    const lane = new Lane(mirror, performance.now());
    this.#lanes.add(lane);
    mirror.connections += 1;
    const signal = AbortSignal.any([this.#options.signal, lane.signal]);
    try {
      while (!signal.aborted && mirror.state === 'working' && !this.#isComplete) {
        const extent = this.#claim(lane);
        const { takenBytes } = mirror;
        if (extent && !(await this.#work(lane, extent, signal))) break;
        lane.isUndecided = false;
        // Overtaken by others, and asking again at once, it would only get in their way.
        if (mirror.takenBytes === takenBytes) await this.#changed.wait();
        else this.#changed.notify();
      }
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#lanes.delete(lane);
      mirror.connections -= 1;
      // All its connections may fail at the same time, each leaving the work to the others.
      if (mirror.connections === 0 && mirror.state === 'working') mirror.state = 'waiting';
      this.#changed.notify();
    }
  }

  #claim(lane: Lane): Extent | undefined {
    const others = [...this.#lanes].filter((other) => other !== lane);
    // Until the first answer nobody knows where the file ends.
    if (this.#plan.totalBytes === undefined && others.some(({ isBusy }) => isBusy)) return undefined;
    // A server that sends everything for a part is of use only when there is no other.
    const { hasRanges } = lane.source;
    if (!hasRanges && others.some(({ source, isBusy }) => source.hasRanges || isBusy)) return undefined;
    const { mirrors, maxMirrors } = this.#options;
    return this.#plan.claim(lane, this.#lanes.size, ableMirrors(mirrors, maxMirrors));
  }

  /** @returns whether the lane goes on */
  async #work(lane: Lane, extent: Extent, signal: AbortSignal): Promise<boolean> {
    lane.begin(performance.now());
    try {
      const isAlone = this.#lanes.size === 1;
      await transferExtent({ ...this.#options, lane, extent, isAlone, plan: this.#plan, signal });
      return true;
    } catch (error) {
      if (error instanceof BeginAnew) throw error;
      if (signal.aborted) return false;
      if (!isSlipwayError(error)) throw error;
      lane.end(performance.now());
      return await this.#onFailure(lane, error, signal);
    } finally {
      lane.end(performance.now());
    }
  }

  /** @returns whether the lane goes on */
  async #onFailure(lane: Lane, error: SlipwayError, signal: AbortSignal): Promise<boolean> {
    const { source } = lane;
    const { code } = error;
    if (code === 'SLIPWAY_SOURCE_SIZE' && source.takenBytes > 0) return this.#takeBack(lane, error);
    // The size that it disagrees with may be the wrong one.
    source.isContrary = code === 'SLIPWAY_SOURCE_SIZE' && this.#options.expectedSizeBytes === undefined;
    if (source.connections > 1 && code !== 'SLIPWAY_SOURCE_CHANGED') {
      // It has let fewer connections in than were asked for: the others go on.
      source.maxConnections = source.connections - 1;
      return false;
    }
    if (code === 'SLIPWAY_SOURCE_CHANGED' && this.#isAlone(source)) source.identity = undefined;
    else if (code === 'SLIPWAY_SOURCE_CHANGED') return this.#leave(source, error);
    source.tries += 1;
    source.triesWithoutProgress = source.hasProgressed() ? 0 : source.triesWithoutProgress + 1;
    const { retryAfterMs } = (error.details ?? {}) as SourceFailureDetails;
    const { tries, triesWithoutProgress } = source;
    const decision = decideRetry({ code, tries, triesWithoutProgress, retryAfterMs });
    if (decision.action === 'stop') throw error;
    if (decision.action === 'nextSource') return this.#leave(source, error);
    if (code === 'SLIPWAY_SOURCE_CHANGED') {
      this.#options.partial.identity = undefined;
      throw new BeginAnew();
    }
    await sleep(decision.waitMs, undefined, { signal }).catch(() => undefined);
    return true;
  }

  /** What was taken of another file than the others' would only come out at the end, and be blamed on all. */
  async #takeBack(lane: Lane, error: SlipwayError): Promise<false> {
    const { source } = lane;
    lane.isUndecided = true;
    const { partial, pieces, isVouched, expectedSizeBytes, withoutReader } = this.#options;
    this.#leave(source, error);
    // Pieces are judged one by one.
    if (pieces) return false;
    // The size may be its word, too.
    if (!isVouched || expectedSizeBytes === undefined) throw new BeginAnew();
    // What its other connections brought may still be on its way into the file.
    while (source.connections > 1) await this.#changed.wait();
    await withoutReader(() => partial.takeBack(this.#plan.contributionsOf(source)));
    this.#plan.giveBack(source);
    source.takenBytes = 0;
    return false;
  }

  /** Whether all bytes there are came from it. */
  #isAlone(source: Mirror): boolean {
    return this.#options.mirrors.every((other) => other === source || other.takenBytes === 0);
  }

  #leave(source: Mirror, error: SlipwayError): false {
    source.fail(error);
    for (const lane of this.#lanes) if (lane.source === source) lane.stop();
    return false;
  }
}
