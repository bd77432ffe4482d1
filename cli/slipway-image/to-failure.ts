import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import { exitCodeOf } from './exit-code.js';
import { mirrorsOf, remediesFor } from './remedies.js';
import type { FailureResult } from './results.js';

/** What to tell about anything that a command threw. */
export function toFailure(thrown: unknown, isCancelled: boolean): FailureResult {
  const error = asSlipwayError(thrown, isCancelled);
  return {
    isOk: false,
    exitCode: exitCodeOf(error.code),
    code: error.code,
    message: error.message,
    remedies: remediesFor(error),
    mirrors: mirrorsOf(error),
  };
}

function asSlipwayError(thrown: unknown, isCancelled: boolean): SlipwayError {
  if (isCancelled) return new SlipwayError('SLIPWAY_CANCELLED', 'Cancelled');
  if (isSlipwayError(thrown)) return thrown;
  return new SlipwayError('SLIPWAY_INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
}
