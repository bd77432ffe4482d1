import type { Context } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { SlipwayError } from '../shared/errors.js';
import { activityBoundary } from './activity-boundary.js';

const context = { cancellationSignal: new AbortController().signal } as Context;

it('should let no half of a character through: Temporal would end the worker', async () => {
  const details = [{ code: 'SLIPWAY_SOURCE_TLS', bytes: 1, reason: 'of \uD83D' }];
  const error = new SlipwayError('SLIPWAY_SOURCES_EXHAUSTED', 'issued by \uD83D', { details });
  const { execute } = activityBoundary(context).inbound!;
  const failure = await execute!({ args: [], headers: {} }, () => Promise.reject(error)).catch(
    (thrown: unknown) => thrown as ApplicationFailure,
  );
  expect(failure).toMatchObject({
    type: 'SLIPWAY_SOURCES_EXHAUSTED',
    message: 'issued by \uFFFD',
    details: [[{ ...details[0], reason: 'of \uFFFD' }]],
  });
});
