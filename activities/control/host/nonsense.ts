import { SlipwayError } from '../../../shared/errors.js';
import { NO_ANSWER } from '../../../shared/hosts.js';

/** What cannot be recorded would be tried again for as long as it is said. */
export const nonsense = (): SlipwayError => new SlipwayError('SLIPWAY_HOST_TOO_OLD', NO_ANSWER);

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
export const isListOfObjects = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.every(isObject);
export const isListOfTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
