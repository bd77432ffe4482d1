import type { Caller } from '../../db/reads/find-caller.js';
import { type ErrorCode, ERRORS, isSlipwayError } from '../../shared/errors.js';
import { failureIn, ownerText, SOMETHING_FAILED } from '../../shared/owner-text.js';
import { isDatabaseAway } from './database-error.js';

/** The body of an error answer; the HTTP status equals `errorcode`. */
export type ApiErrorBody = {
  uuidList: [];
  errorcode: number;
  cserrorcode: number;
  errortext: string;
};

const body = (code: ErrorCode, errortext: string): ApiErrorBody => {
  const { errorcode, cserrorcode } = ERRORS[code];
  return { uuidList: [], errorcode, cserrorcode, errortext };
};

/**
 * What a caller learns of an error. Errors of the table are free of secrets, and what hosts said is for root admins; of
 * any other, and of a defect, the request id leaves the server, and the log has the rest.
 *
 * @param role missing for somebody who is not known
 */
export function apiErrorOf(error: unknown, requestId: string, role?: Caller['role']): ApiErrorBody {
  if (isSlipwayError(error)) {
    const text = role === 'Admin' ? error.message : ownerText(failureIn(error));
    const isDefect = error.code === 'SLIPWAY_INTERNAL' || text === SOMETHING_FAILED;
    return body(error.code, isDefect ? `${text} (request ${requestId})` : text);
  }
  if (isDatabaseAway(error)) return body('SLIPWAY_UNAVAILABLE', 'The database does not answer; try again');
  return body(
    'SLIPWAY_INTERNAL',
    `Internal error executing command, please contact your system administrator (request ${requestId})`,
  );
}
