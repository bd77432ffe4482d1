import { failoverOf, type ErrorCode } from '../../shared/errors.js';

const MAX_TRIES_WITHOUT_PROGRESS = 3;
/** A source that moves a little and breaks off for ever must not hold the download for ever. */
const MAX_TRIES = 100;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 5_000;
/** A server may ask for patience, not for hours: other mirrors and hosts are waiting. */
const MAX_RETRY_AFTER_MS = 30_000;

export interface FailedTry {
  code: ErrorCode;
  /** Tries of this source so far, this one included. */
  tries: number;
  /** Tries in a row, this one included, after which the file was not longer than ever before; 0 after progress. */
  triesWithoutProgress: number;
  retryAfterMs?: number | undefined;
}

export type RetryDecision = { action: 'retry'; waitMs: number } | { action: 'nextSource' } | { action: 'stop' };

/** What to do after a failed try at a source. `stop`: no other source of this host will do better. */
export function decideRetry({ code, tries, triesWithoutProgress, retryAfterMs = 0 }: FailedTry): RetryDecision {
  const isExhausted = triesWithoutProgress >= MAX_TRIES_WITHOUT_PROGRESS || tries >= MAX_TRIES;
  // The bytes were dropped: the same source, from its first byte, has the new version.
  if (code === 'SLIPWAY_SOURCE_CHANGED' && !isExhausted) return { action: 'retry', waitMs: 0 };
  const failover = failoverOf(code);
  if (failover === 'nextHost' || failover === 'giveUp') return { action: 'stop' };
  if (failover === 'nextSource' || isExhausted) return { action: 'nextSource' };
  const backoffMs = Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, triesWithoutProgress - 1), MAX_WAIT_MS);
  return { action: 'retry', waitMs: Math.max(backoffMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)) };
}
