import { brokenLimit, type UnpackState } from './unpack-limits.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MAX_OUTPUT_BYTES = 50 * GIB;

it.each<[string, UnpackState, string | undefined]>([
  ['nothing yet', { inputBytes: 0, outputBytes: 0, storedBytes: 0 }, undefined],
  ['programs', { inputBytes: 100 * MIB, outputBytes: GIB, storedBytes: GIB }, undefined],
  ['a large, nearly empty disk', { inputBytes: 100 * MIB, outputBytes: 50 * GIB, storedBytes: GIB }, undefined],
  ['a blank disk of the free size', { inputBytes: 1000, outputBytes: 512 * MIB, storedBytes: 0 }, undefined],
  ['a larger one', { inputBytes: 1000, outputBytes: 512 * MIB + 1, storedBytes: 0 }, 'SLIPWAY_UNPACK_RATIO'],
  ['zeros in gzip', { inputBytes: 10 * MIB, outputBytes: 9 * GIB, storedBytes: 0 }, 'SLIPWAY_UNPACK_RATIO'],
  ['a few bytes that repeat', { inputBytes: 1000, outputBytes: 256 * MIB, storedBytes: 256 * MIB }, undefined],
  [
    'many bytes that repeat',
    { inputBytes: MIB, outputBytes: 300 * MIB, storedBytes: 300 * MIB },
    'SLIPWAY_UNPACK_RATIO',
  ],
  ['the largest size', { inputBytes: GIB, outputBytes: MAX_OUTPUT_BYTES, storedBytes: 0 }, undefined],
  [
    'more than that',
    { inputBytes: GIB, outputBytes: MAX_OUTPUT_BYTES + 1, storedBytes: 0 },
    'SLIPWAY_UNPACK_TOO_LARGE',
  ],
])('should say of %s whether it is too much', (_name, state, code) => {
  expect(brokenLimit(state, { maxOutputBytes: MAX_OUTPUT_BYTES })?.code).toBe(code);
});
