import type { ErrorCode } from '../../shared/errors.js';

export const EXIT = { ok: 0, usage: 1, refused: 2, host: 6 } as const;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  SLIPWAY_PARAMETER_INVALID: EXIT.usage,
  SLIPWAY_PARAMETER_MISSING: EXIT.usage,
  SLIPWAY_JOIN_TOKEN: EXIT.refused,
  SLIPWAY_JOIN_REFUSED: EXIT.refused,
  SLIPWAY_TOO_MANY_REQUESTS: EXIT.refused,
  SLIPWAY_UNAVAILABLE: EXIT.refused,
  SLIPWAY_RESOURCE_STATE: EXIT.refused,
  SLIPWAY_PERMISSION_DENIED: EXIT.refused,
};

/** What the process ends with after an error. */
export const exitCodeOf = (code: ErrorCode): number => BY_CODE[code] ?? EXIT.host;
