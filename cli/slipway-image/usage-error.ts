import { SlipwayError } from '../../shared/errors.js';

/** What the caller got wrong, in words about what was typed; never with a value that may be a secret. */
export const usageError = (message: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_PARAMETER_INVALID', message, { cause });

/** Why a file that the caller named cannot be used. */
export function unreadable(what: string, path: string, error: unknown): SlipwayError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file' : message;
  return usageError(`${what} ${path} cannot be read: ${why}`, error);
}
