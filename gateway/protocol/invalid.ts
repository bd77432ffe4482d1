import { SlipwayError } from '../../shared/errors.js';

/** For a parameter that is wrong in a way that has no standard text. */
export const invalid = (message: string): SlipwayError => new SlipwayError('SLIPWAY_PARAMETER_INVALID', message);
