import { SlipwayError } from '../../shared/errors.js';

/** What the caller got wrong, in words about what was typed; never with a value that may be a secret. */
export const usageError = (message: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_PARAMETER_INVALID', message, { cause });
