import type { IncomingHttpHeaders } from 'node:http';
import { parseContentRange, planRequest, planResponse, type Held } from './transfer-plan.js';

const URL_A = 'http://a.example/disk';
const URL_B = 'http://b.example/disk';
const identity = { url: URL_A, etag: '"1"', lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT', totalBytes: 100 };

const held = (changes: Partial<Held> = {}): Held => ({
  bytes: 40,
  identity,
  hasVouchedDigest: false,
  maxSizeBytes: 1000,
  ...changes,
});
const nothing = held({ bytes: 0, identity: undefined });
const vouched = held({ hasVouchedDigest: true });

describe('planRequest', () => {
  const { lastModified } = identity;
  it.each([
    ['nothing held', nothing, URL_A, { fromByte: 0 }],
    ['the same source', held(), URL_A, { fromByte: 40, ifRange: '"1"' }],
    [
      'no ETag',
      held({ identity: { url: URL_A, lastModified, totalBytes: 100 } }),
      URL_A,
      { fromByte: 40, ifRange: lastModified },
    ],
    ['a date without a size', held({ identity: { url: URL_A, lastModified } }), URL_A, { fromByte: 0 }],
    ['no validator at all', held({ identity: { url: URL_A, totalBytes: 100 } }), URL_A, { fromByte: 0 }],
    ['another source', held(), URL_B, { fromByte: 0 }],
    ['another source of vouched bytes', vouched, URL_B, { fromByte: 40 }],
    [
      'no validator of vouched bytes',
      held({ hasVouchedDigest: true, identity: { url: URL_A } }),
      URL_A,
      { fromByte: 40 },
    ],
  ])('with %s', (_what, state, url, range) => {
    expect(planRequest(state, url)).toEqual(range);
  });
});

describe('planResponse', () => {
  const whole: IncomingHttpHeaders = { etag: '"1"', 'content-length': '100' };
  const rest: IncomingHttpHeaders = { etag: '"1"', 'content-range': 'bytes 40-99/100', 'content-length': '60' };
  const from40 = { fromByte: 40 };
  const from0 = { fromByte: 0 };

  it.each([
    ['a first answer', nothing, URL_A, from0, 200, whole, { isRestart: false, skipBytes: 0 }],
    ['the rest', held(), URL_A, from40, 206, rest, { isRestart: false, skipBytes: 0 }],
    ['a server without ranges', held(), URL_A, from40, 200, whole, { isRestart: false, skipBytes: 40 }],
    ['a new version', held(), URL_A, from40, 200, { ...whole, etag: '"2"' }, { isRestart: true, skipBytes: 0 }],
    [
      'a new version of vouched bytes',
      vouched,
      URL_A,
      from40,
      200,
      { ...whole, etag: '"2"' },
      { isRestart: true, skipBytes: 0 },
    ],
    [
      'what is called encoded and is not',
      nothing,
      URL_A,
      from0,
      200,
      { ...whole, 'content-encoding': 'identity' },
      { isRestart: false, skipBytes: 0 },
    ],
    ['another mirror without a vouched hash', held(), URL_B, from0, 200, whole, { isRestart: true, skipBytes: 0 }],
    [
      'another mirror with a vouched hash',
      vouched,
      URL_B,
      from40,
      206,
      { ...rest, etag: '"x"' },
      { isRestart: false, skipBytes: 0 },
    ],
    [
      'another mirror without ranges',
      vouched,
      URL_B,
      from40,
      200,
      { 'content-length': '100' },
      { isRestart: false, skipBytes: 40 },
    ],
    ['another mirror without a size', vouched, URL_B, from40, 200, {}, { isRestart: false, skipBytes: 40 }],
    [
      'another mirror with less than is held of a file of unknown size',
      held({ hasVouchedDigest: true, identity: { url: URL_A } }),
      URL_B,
      from40,
      200,
      { 'content-length': '39' },
      { isRestart: true, skipBytes: 0 },
    ],
  ] as const)('takes %s', (_what, state, url, range, status, headers, plan) => {
    expect(planResponse(state, url, range, status, headers)).toMatchObject(plan);
  });

  it.each([
    [
      'a range that was not asked for',
      held(),
      URL_A,
      206,
      { 'content-range': 'bytes 0-99/100' },
      'SLIPWAY_SOURCE_SIZE',
    ],
    ['a partial answer without a range', held(), URL_A, 206, {}, 'SLIPWAY_SOURCE_SIZE'],
    [
      'a range of a file whose size nobody tells',
      held({ identity: { url: URL_A, etag: '"1"' } }),
      URL_A,
      206,
      { etag: '"1"', 'content-range': 'bytes 40-49/*' },
      'SLIPWAY_SOURCE_CHANGED',
    ],
    ['a new version in a range', held(), URL_A, 206, { ...rest, etag: '"2"' }, 'SLIPWAY_SOURCE_CHANGED'],
    ['a new size in a range', held(), URL_A, 206, { 'content-range': 'bytes 40-49/50' }, 'SLIPWAY_SOURCE_CHANGED'],
    ['a mirror with another size', vouched, URL_B, 206, { 'content-range': 'bytes 40-49/50' }, 'SLIPWAY_SOURCE_SIZE'],
    ['compressed bytes', nothing, URL_A, 200, { ...whole, 'content-encoding': 'x-gzip, br' }, 'SLIPWAY_SOURCE_SIZE'],
    ['a login page of a mirror', vouched, URL_B, 200, { 'content-length': '5' }, 'SLIPWAY_SOURCE_SIZE'],
    ['an end before the held bytes', held(), URL_A, 416, {}, 'SLIPWAY_SOURCE_CHANGED'],
    ['an end before the held bytes of a mirror', vouched, URL_B, 416, {}, 'SLIPWAY_SOURCE_SIZE'],
    ['another size than the metalink', held({ expectedSizeBytes: 99 }), URL_A, 200, whole, 'SLIPWAY_SOURCE_SIZE'],
    ['too many bytes', held({ maxSizeBytes: 99 }), URL_A, 200, whole, 'SLIPWAY_TEMPLATE_TOO_LARGE'],
    ['too many bytes in a range', held({ maxSizeBytes: 99 }), URL_A, 206, rest, 'SLIPWAY_TEMPLATE_TOO_LARGE'],
  ] as const)('refuses %s', (_what, state, url, status, headers, code) => {
    expect(() => planResponse(state, url, from40, status, headers)).toThrow(expect.objectContaining({ code }));
  });

  it('does not take a weak ETag for a proof', () => {
    expect(planResponse(nothing, URL_A, from0, 200, { etag: 'W/"1"' }).identity).toEqual({ url: URL_A });
  });
});

describe('parseContentRange', () => {
  it.each([
    ['bytes 5-9/10', { firstByte: 5, totalBytes: 10 }],
    ['bytes 5-9/*', { firstByte: 5 }],
    ['bytes */10', undefined],
    ['bytes 9-5/10', undefined],
    ['bytes 5-10/10', undefined],
    ['bytes 5-9/99999999999999999999', undefined],
    [undefined, undefined],
  ])('%s', (value, expected) => {
    expect(parseContentRange(value)).toEqual(expected);
  });
});
