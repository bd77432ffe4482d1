import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { isErrorCode } from '../shared/errors.js';
import { type Failure, recordableText } from '../shared/failures.js';

/** What went wrong, in Slipway's terms. An activity's failure hides the cause; a timeout means the host is gone. */
export function failureOf(error: unknown): Failure {
  if (isCancellation(error)) return { code: 'SLIPWAY_CANCELLED', message: 'The operation was cancelled' };
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    const silence =
      cause.timeoutType === 'SCHEDULE_TO_START' ? 'did not take the work' : 'took the work and then fell silent';
    return { code: 'SLIPWAY_HOST_UNREACHABLE', message: `The host worker ${silence}` };
  }
  // A child's: somebody has ended it in the Temporal Web UI.
  if (cause instanceof TerminatedFailure) {
    return { code: 'SLIPWAY_WORKFLOW_LOST', message: 'A workflow that worked for it was terminated' };
  }
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    return { code: cause.type, message: recordableText(cause.message), ...carriedCauses(cause) };
  }
  return { code: 'SLIPWAY_INTERNAL', message: recordableText(cause instanceof Error ? cause.message : String(cause)) };
}

/** The details that an activity attached to its failure, for example the report of each mirror. */
export function failureDetails(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
}

/** The process that worked has ended: killed, which a timeout tells, or stopped, which it said itself. */
export const isSilence = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  (error.cause instanceof TimeoutFailure
    ? error.cause.timeoutType === 'HEARTBEAT'
    : error.cause instanceof ApplicationFailure && error.cause.type === 'SLIPWAY_HOST_UNREACHABLE');

/**
 * A failure as a workflow throws it: a plain Error would make the workflow task retry for ever. What hosts said is in its
 * message, and Temporal ends the whole worker for half of a character of two.
 */
export const toWorkflowFailure = ({ code, message, causes }: Failure): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message.toWellFormed(), code, ...(causes ? [{ causes }] : []));

/**
 * What a workflow said of the causes, or the reports of sources say that an activity attached. A host may attach anything:
 * an error here would have the workflow task fail for ever.
 */
const carriedCauses = ({ details }: ApplicationFailure): Pick<Failure, 'causes'> => {
  const first: unknown = details?.[0];
  const said = Array.isArray(first)
    ? first.map((report: unknown) => (report as { code?: unknown } | null)?.code)
    : (first as { causes?: unknown } | null | undefined)?.causes;
  const causes = Array.isArray(said) ? [...new Set(said.filter(isErrorCode))] : [];
  return causes.length > 0 ? { causes } : {};
};
