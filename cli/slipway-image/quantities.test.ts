import { parseRate, showBytes, showDuration } from './quantities.js';

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KiB'],
    [1024, '1.00 KiB'],
    [10 * 1024, '10.0 KiB'],
    [99.96 * 1024, '100 KiB'],
    [999.6 * 1024, '0.98 MiB'],
    [1.25 * 1024 ** 3, '1.25 GiB'],
    [5000 * 1024 ** 5, '5000 PiB'],
  ])('of %d bytes read %s', (bytes, text) => {
    expect(showBytes(bytes)).toBe(text);
  });

  it.each([
    [-5, '0 s'],
    [59_400, '59 s'],
    [59_600, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_725_000, '1 h 02 min'],
  ])('of %d ms read %s', (ms, text) => {
    expect(showDuration(ms)).toBe(text);
  });

  it.each([
    ['1', 1],
    ['800K', 800 * 1024],
    ['50m', 50 * 1024 ** 2],
    ['1.5G', 1.5 * 1024 ** 3],
  ])('given as %s are %d bytes a second', (text, bytesPerSecond) => {
    expect(parseRate(text)).toBe(bytesPerSecond);
  });

  it.each(['', '0', '0.1', '-1', '1e3', '5T', '5 M', 'Infinity', '9999999G'])('given as %j are refused', (text) => {
    expect(() => parseRate(text)).toThrow('--limit-rate has to be');
  });
});
