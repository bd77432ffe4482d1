import type { JobOutcome } from '../../db/jobs.js';
import { ERRORS } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';

export const SUCCEEDED: JobOutcome = { status: 'succeeded', resultCode: 0, result: {} };

export function failedOutcome({ code, message }: Failure, isCancelled: boolean): JobOutcome {
  const { errorcode } = ERRORS[code];
  return {
    status: isCancelled ? 'cancelled' : 'failed',
    resultCode: errorcode,
    result: { errorcode, errortext: message, slipwaycode: code },
  };
}
