import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { failoverOf, isSlipwayError } from '../shared/errors.js';

/**
 * The one place where errors of activities become Temporal failures. A known error carries its code as type; it is
 * retried by Temporal only when its row of the failure table says "same source", else the workflow decides. An unknown
 * error is retried, but its message does not reach the history: a database error's text holds query parameters, which
 * may be secrets.
 */
export const activityBoundary: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw toFailure(context, error);
      }
    },
  } satisfies ActivityInboundCallsInterceptor,
});

function toFailure(context: Context, error: unknown): unknown {
  if (context.cancellationDetails?.workerShutdown) {
    // Nobody asked to cancel: the workflow sees a host that is away, as when the process is killed, and not an end.
    return ApplicationFailure.retryable('The worker was stopped', 'SLIPWAY_HOST_UNREACHABLE');
  }
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (context.cancellationSignal.aborted) return new CancelledFailure('The activity was cancelled');
  if (isSlipwayError(error)) {
    return ApplicationFailure.create({
      type: error.code,
      message: error.message.toWellFormed(),
      nonRetryable: failoverOf(error.code) !== 'sameSource',
      details: error.details === undefined ? [] : [wellFormedJson(error.details)],
    });
  }
  context.log.error('activity failed for a reason that Slipway does not know', { error });
  return ApplicationFailure.create({
    type: 'SLIPWAY_INTERNAL',
    message: `${context.info.activityType} failed for an unknown reason; the log of ${context.info.taskQueue} has it`,
  });
}

/** Temporal ends the whole worker for half of a character of two, as cuts and escapes in JSON leave it. */
const wellFormedJson = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? part.toWellFormed() : part)));
