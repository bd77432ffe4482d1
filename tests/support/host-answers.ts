import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { SealedTier } from '../../shared/templates.js';

/** Never answers; ends when it hears of its cancellation, or with the worker of the test. */
export const hang = (): Promise<never> => Context.current().cancelled;

/** An error as a host throws it. */
export const refusal = (type: string, message: string, details?: unknown): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true, details: details === undefined ? [] : [details] });

export const tier = (url: string, priority = 1): SealedTier => ({ priority, mirrors: [url], sealed: 'sealed' });

/** As `hang`, of a download: nobody else tells that it is alive. */
export async function downloadForever(): Promise<never> {
  const { cancelled, heartbeat } = Context.current();
  const beat = setInterval(() => heartbeat(), 100);
  try {
    return await cancelled;
  } finally {
    clearInterval(beat);
  }
}
