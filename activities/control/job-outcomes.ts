import type { JobOutcome } from '../../db/jobs.js';
import { ERRORS } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import { ownerText } from '../../shared/owner-text.js';

export const SUCCEEDED: JobOutcome = { status: 'succeeded', resultCode: 0, result: {} };

/** `errortext` is for root admins, `ownertext` for everybody else. */
export function failedOutcome(failure: Failure, isCancelled: boolean): JobOutcome {
  const { code, message } = failure;
  const { errorcode } = ERRORS[code];
  return {
    status: isCancelled ? 'cancelled' : 'failed',
    resultCode: errorcode,
    result: { errorcode, errortext: message, slipwaycode: code, ownertext: ownerText(failure) },
  };
}
