import { decideRetry } from './retry-decision.js';

describe('decideRetry', () => {
  it.each([
    ['waits before the second try', { code: 'SLIPWAY_SOURCE_TIMEOUT', tries: 1, triesWithoutProgress: 1 }, 500],
    ['waits longer before the third', { code: 'SLIPWAY_SOURCE_CONNECT', tries: 2, triesWithoutProgress: 2 }, 1000],
    ['starts over after progress', { code: 'SLIPWAY_SOURCE_INTERRUPTED', tries: 40, triesWithoutProgress: 0 }, 500],
    [
      'waits as long as the server asks',
      { code: 'SLIPWAY_SOURCE_HTTP_5XX', tries: 1, triesWithoutProgress: 1, retryAfterMs: 7000 },
      7000,
    ],
    [
      'but not for hours',
      { code: 'SLIPWAY_SOURCE_HTTP_5XX', tries: 1, triesWithoutProgress: 1, retryAfterMs: 7_200_000 },
      30_000,
    ],
    ['reads a changed file anew at once', { code: 'SLIPWAY_SOURCE_CHANGED', tries: 1, triesWithoutProgress: 1 }, 0],
  ] as const)('%s', (_what, failed, waitMs) => {
    expect(decideRetry(failed)).toEqual({ action: 'retry', waitMs });
  });

  it.each([
    ['three tries without progress', { code: 'SLIPWAY_SOURCE_TIMEOUT', tries: 3, triesWithoutProgress: 3 }],
    ['a file that changes for ever', { code: 'SLIPWAY_SOURCE_CHANGED', tries: 3, triesWithoutProgress: 3 }],
    ['a source that drips for ever', { code: 'SLIPWAY_SOURCE_INTERRUPTED', tries: 100, triesWithoutProgress: 0 }],
    ['a refusal', { code: 'SLIPWAY_SOURCE_HTTP_4XX', tries: 1, triesWithoutProgress: 1 }],
    ['a certificate', { code: 'SLIPWAY_SOURCE_TLS', tries: 1, triesWithoutProgress: 1 }],
    ['another size', { code: 'SLIPWAY_SOURCE_SIZE', tries: 1, triesWithoutProgress: 0 }],
    ['a forbidden address', { code: 'SLIPWAY_URL_FORBIDDEN', tries: 1, triesWithoutProgress: 1 }],
  ] as const)('takes the next source after %s', (_what, failed) => {
    expect(decideRetry(failed)).toEqual({ action: 'nextSource' });
  });

  it.each(['SLIPWAY_TEMPLATE_TOO_LARGE', 'SLIPWAY_POOL_FULL', 'SLIPWAY_POOL_IO'] as const)('stops at %s', (code) => {
    expect(decideRetry({ code, tries: 1, triesWithoutProgress: 0 })).toEqual({ action: 'stop' });
  });
});
