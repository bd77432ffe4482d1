import { displayUrl } from '../../shared/display-url.js';
import type { SlipwayError } from '../../shared/errors.js';
import type { MirrorReport } from '../../shared/images.js';
import type { SourceIdentity } from './source-identity.js';

/** A mirror that has sent so many wrong pieces is left even when there is no other. */
const MAX_BAD_PIECES = 3;

/** One source of a download, and what is known about it. */
export class Mirror {
  /** Whole: user info and query may be secrets. */
  readonly url: string;
  readonly shown: string;
  state: 'waiting' | 'working' | 'failed' = 'waiting';
  /** How many connections it is asked for. */
  maxConnections: number;
  connections = 0;
  /** What it said about the file. */
  identity: SourceIdentity | undefined;
  /** `false` once it has sent everything for a part. */
  hasRanges = true;
  tries = 0;
  triesWithoutProgress = 0;
  badPieces = 0;
  /** Bytes that came from it. */
  bytes = 0;
  /** Bytes of the present copy that came from it, and the most there ever were: less is no progress. */
  takenBytes = 0;
  mostTakenBytes = 0;
  /** Was left for others once: not a second time. */
  wasSlow = false;
  /** Was left for it disagreed with another about the size: that is forgotten when all begins anew. */
  isContrary = false;
  #hasAnswered = false;
  #failure: SlipwayError | undefined;

  constructor(url: string, maxConnections: number) {
    this.url = url;
    this.shown = displayUrl(url);
    this.maxConnections = maxConnections;
  }

  begin(): void {
    this.state = 'working';
    this.#failure = undefined;
  }

  /** All bytes were thrown away. */
  beginAnew(): void {
    this.takenBytes = 0;
    if (this.state === 'working' || this.isContrary) this.state = 'waiting';
    this.isContrary = false;
  }

  answered(): void {
    this.#hasAnswered = true;
  }

  /** Has brought some of its bytes since the last call: counters of failures begin anew. */
  hasProgressed(): boolean {
    const hasProgressed = this.takenBytes > this.mostTakenBytes;
    this.mostTakenBytes = Math.max(this.mostTakenBytes, this.takenBytes);
    return hasProgressed;
  }

  fail(error: SlipwayError): void {
    this.state = 'failed';
    this.#failure = error;
  }

  /** @param hasOthers whether somebody else could fetch the piece */
  isGuilty(hasOthers: boolean): boolean {
    this.badPieces += 1;
    return hasOthers || this.badPieces >= MAX_BAD_PIECES;
  }

  get report(): MirrorReport {
    const { shown: url, bytes } = this;
    if (this.#failure) {
      return { url, outcome: 'failed', bytes, code: this.#failure.code, reason: this.#failure.message };
    }
    return { url, outcome: this.#hasAnswered ? 'used' : 'not tried', bytes };
  }
}
