import { ERRORS, type ErrorCode, SlipwayError } from '../../shared/errors.js';
import { exitCodeOf } from './exit-code.js';
import { toFailure } from './to-failure.js';

describe('a failure', () => {
  it.each<[ErrorCode, number]>([
    ['SLIPWAY_PARAMETER_INVALID', 1],
    ['SLIPWAY_HEADER_INVALID', 1],
    ['SLIPWAY_URL_FORBIDDEN', 2],
    ['SLIPWAY_SOURCES_EXHAUSTED', 2],
    ['SLIPWAY_METALINK_DTD', 2],
    ['SLIPWAY_TRANSFER_DEADLINE', 2],
    ['SLIPWAY_CHECKSUM_MISMATCH', 3],
    ['SLIPWAY_IMAGE_BACKING_FILE', 4],
    ['SLIPWAY_UNPACK_RATIO', 4],
    ['SLIPWAY_TEMPLATE_TOO_LARGE', 4],
    ['SLIPWAY_POOL_FULL', 5],
    ['SLIPWAY_UNPACK_TOOL', 6],
    ['SLIPWAY_INTERNAL', 6],
    ['SLIPWAY_CANCELLED', 130],
  ])('%s ends the process with %d', (code, exitCode) => {
    expect(exitCodeOf(code)).toBe(exitCode);
  });

  it('never looks like success', () => {
    expect(Object.keys(ERRORS).filter((code) => exitCodeOf(code as ErrorCode) === 0)).toEqual([]);
  });

  it('of several sources says once what can be done about each kind', () => {
    const mirrors = (['SLIPWAY_SOURCE_TLS', 'SLIPWAY_SOURCE_REDIRECT', 'SLIPWAY_SOURCE_TLS'] as const).map(
      (code, index) => ({ url: `https://${index}.example/`, outcome: 'failed', bytes: 0, code }) as const,
    );
    const failure = toFailure(new SlipwayError('SLIPWAY_SOURCES_EXHAUSTED', 'None', { details: mirrors }), false);
    expect(failure).toMatchObject({ isOk: false, exitCode: 2, code: 'SLIPWAY_SOURCES_EXHAUSTED', mirrors });
    expect(failure.remedies).toEqual([expect.stringContaining('--ca'), expect.stringContaining('--follow-redirects')]);
  });

  it('of any kind after Ctrl-C is a cancellation', () => {
    expect(toFailure(new Error('aborted'), true)).toMatchObject({ exitCode: 130, code: 'SLIPWAY_CANCELLED' });
  });

  it('that nobody knows is a defect', () => {
    expect(toFailure(new TypeError('x is not y'), false)).toMatchObject({
      exitCode: 6,
      code: 'SLIPWAY_INTERNAL',
      message: 'x is not y',
    });
  });
});
