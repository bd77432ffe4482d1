import { type Known, judgeBody } from './judge-body.js';
import type { ByteRange, SourceBody } from './source-client.js';

const URL_A = 'http://a.example/disk';
const WHOLE: ByteRange = { fromByte: 0 };
const PART: ByteRange = { fromByte: 50 };
const KNOWN: Known = { maxSizeBytes: 1000, isVouched: false, hasBytes: false };
const HELD: Known = { ...KNOWN, hasBytes: true, totalBytes: 100, owner: { url: URL_A, etag: '"1"', totalBytes: 100 } };
const NO_ETAG = { ...HELD, owner: { url: URL_A, totalBytes: 100 } };

const body = (changes: Partial<SourceBody>): SourceBody => ({
  url: new URL(URL_A),
  fromByte: 0,
  totalBytes: 100,
  hasRanges: true,
  hints: { links: [], digests: [] },
  pump: () => Promise.resolve(),
  discard: () => undefined,
  ...changes,
});

describe('judgeBody', () => {
  it.each<[string, Known, ByteRange, Partial<SourceBody>, string]>([
    ['the first body', KNOWN, WHOLE, {}, 'take'],
    ['the first body, of no known size', KNOWN, WHOLE, { totalBytes: undefined }, 'take'],
    ['the rest of what is held', HELD, PART, { fromByte: 50, etag: '"1"' }, 'take'],
    ['the whole of what is held, of the same version', HELD, PART, { etag: '"1"' }, 'take'],
    ['the whole of another version', HELD, PART, { etag: '"2"' }, 'restart'],
    ['the whole of an unknown version', NO_ETAG, PART, {}, 'restart'],
    ['the whole of an unknown version, from a server without parts', NO_ETAG, WHOLE, {}, 'restart'],
    ['the rest, of an unknown version but the same size', NO_ETAG, PART, { fromByte: 50 }, 'take'],
    ['bytes of another source', { ...HELD, owner: { url: 'http://b.example/' } }, PART, { fromByte: 50 }, 'restart'],
    ['bytes when nobody knows whose are held', { ...HELD, owner: undefined }, PART, { fromByte: 50 }, 'restart'],
    [
      'bytes of another source, vouched for',
      { ...HELD, isVouched: true, owner: undefined },
      PART,
      { fromByte: 50 },
      'take',
    ],
    [
      'another ETag of the same date and size, vouched for',
      {
        ...HELD,
        isVouched: true,
        before: { url: URL_A, place: URL_A, etag: '"1"', lastModified: 'a', totalBytes: 100 },
      },
      PART,
      { fromByte: 50, etag: '"2"', lastModified: 'a' },
      'take',
    ],
    [
      'another ETag of the mirror that a redirect led to this time, vouched for',
      {
        ...HELD,
        isVouched: true,
        before: { url: URL_A, place: 'http://b.example/disk', etag: '"1"', totalBytes: 100 },
      },
      PART,
      { fromByte: 50, etag: '"2"' },
      'take',
    ],
    ['the whole, vouched for', { ...NO_ETAG, isVouched: true }, PART, {}, 'take'],
  ])('%s', (_what, known, range, changes, judgement) => {
    expect(judgeBody(URL_A, known, range, body(changes))).toBe(judgement);
  });

  it.each<[string, Partial<Known>, ByteRange, Partial<SourceBody>, string]>([
    ['a file larger than allowed', {}, WHOLE, { totalBytes: 1001 }, 'SLIPWAY_TEMPLATE_TOO_LARGE'],
    ['one larger than expected and allowed', { totalBytes: 100 }, WHOLE, { totalBytes: 1001 }, 'SLIPWAY_SOURCE_SIZE'],
    ['one smaller than expected', { totalBytes: 100 }, WHOLE, { totalBytes: 99 }, 'SLIPWAY_SOURCE_SIZE'],
    ['another ETag', { before: { url: URL_A, etag: '"1"' } }, WHOLE, { etag: '"2"' }, 'SLIPWAY_SOURCE_CHANGED'],
    [
      'another ETag of the same place, vouched for',
      { isVouched: true, before: { url: URL_A, place: URL_A, etag: '"1"', totalBytes: 100 } },
      WHOLE,
      { etag: '"2"' },
      'SLIPWAY_SOURCE_CHANGED',
    ],
    [
      'another ETag of another place, when nothing vouches for the bytes',
      { before: { url: URL_A, place: 'http://b.example/disk', etag: '"1"', totalBytes: 100 } },
      WHOLE,
      { etag: '"2"' },
      'SLIPWAY_SOURCE_CHANGED',
    ],
    ['another size', { before: { url: URL_A, totalBytes: 90 } }, WHOLE, {}, 'SLIPWAY_SOURCE_CHANGED'],
    [
      'another date',
      { before: { url: URL_A, lastModified: 'a' } },
      WHOLE,
      { lastModified: 'b' },
      'SLIPWAY_SOURCE_CHANGED',
    ],
    ['a part of nobody knows what', {}, PART, { fromByte: 50, totalBytes: undefined }, 'SLIPWAY_SOURCE_CHANGED'],
  ])('refuses %s', (_what, known, range, changes, code) => {
    expect(() => judgeBody(URL_A, { ...KNOWN, ...known }, range, body(changes))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
