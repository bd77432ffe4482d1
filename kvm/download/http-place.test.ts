import { parseContentRange, readPlace } from './http-place.js';

const SHOWN = 'http://a.example/disk';

describe('parseContentRange', () => {
  it.each([
    ['bytes 5-9/10', { firstByte: 5, lastByte: 9, totalBytes: 10 }],
    ['bytes 0-0/1', { firstByte: 0, lastByte: 0, totalBytes: 1 }],
    [' Bytes 5-9/*', { firstByte: 5, lastByte: 9 }],
    ['bytes 9-5/10', undefined],
    ['bytes 5-10/10', undefined],
    ['bytes */10', undefined],
    ['bytes -5-9/10', undefined],
    ['bytes 5-9/99999999999999999', undefined],
    ['items 5-9/10', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j', (value, expected) => {
    expect(parseContentRange(value)).toEqual(expected);
  });
});

describe('readPlace', () => {
  it.each([
    ['everything', 200, { 'content-length': '10' }, { fromByte: 0 }, { fromByte: 0, bodyBytes: 10, totalBytes: 10 }],
    ['everything, of unknown length', 200, {}, { fromByte: 5 }, { fromByte: 0 }],
    ['everything, of a length that is none', 200, { 'content-length': '-1' }, { fromByte: 0 }, { fromByte: 0 }],
    ['everything, in the coding asked for', 200, { 'content-encoding': 'identity' }, { fromByte: 0 }, { fromByte: 0 }],
    [
      'the part',
      206,
      { 'content-range': 'bytes 5-9/10' },
      { fromByte: 5, endByte: 10 },
      { fromByte: 5, bodyBytes: 5, totalBytes: 10 },
    ],
    [
      'less than the part',
      206,
      { 'content-range': 'bytes 5-6/10' },
      { fromByte: 5 },
      { fromByte: 5, bodyBytes: 2, totalBytes: 10 },
    ],
  ])('finds %s', (_what, status, headers, range, place) => {
    expect(readPlace(SHOWN, status, headers, range)).toEqual({ bodyBytes: undefined, totalBytes: undefined, ...place });
  });

  it.each([
    ['a part from elsewhere', 206, { 'content-range': 'bytes 4-9/10' }, { fromByte: 5 }],
    ['more than was asked for', 206, { 'content-range': 'bytes 5-9/10' }, { fromByte: 5, endByte: 9 }],
    ['several parts at once', 206, { 'content-type': 'multipart/byteranges; boundary=x' }, { fromByte: 5 }],
    ['a body that was compressed', 200, { 'content-encoding': 'gzip' }, { fromByte: 0 }],
    [
      'a body that was compressed twice',
      206,
      { 'content-encoding': 'identity, BR', 'content-range': 'bytes 5-9/10' },
      { fromByte: 5 },
    ],
  ])('refuses %s', (_what, status, headers, range) => {
    expect(() => readPlace(SHOWN, status, headers, range)).toThrow(
      expect.objectContaining({ code: 'SLIPWAY_SOURCE_SIZE' }),
    );
  });
});
