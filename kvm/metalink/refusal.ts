import { SlipwayError } from '../../shared/errors.js';

const PREFIXES = {
  SLIPWAY_METALINK_INVALID: 'The metalink document is not valid',
  SLIPWAY_METALINK_DTD: 'The metalink document is not safe to read',
  SLIPWAY_METALINK_TOO_LARGE: 'The metalink document is too large',
  SLIPWAY_METALINK_NO_SOURCE: 'The metalink document leads to no source',
} as const;

/** The error that a whole document is refused with. `why` speaks of the document as "it". */
export const refusal = (code: keyof typeof PREFIXES, why: string): SlipwayError =>
  new SlipwayError(code, `${PREFIXES[code]}: ${why}`);
