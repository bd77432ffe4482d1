import type { ErrorCode } from '../../shared/errors.js';

export const EXIT = {
  ok: 0,
  usage: 1,
  source: 2,
  checksum: 3,
  image: 4,
  pool: 5,
  host: 6,
  cancelled: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  SLIPWAY_PARAMETER_INVALID: EXIT.usage,
  SLIPWAY_HEADER_INVALID: EXIT.usage,
  SLIPWAY_CANCELLED: EXIT.cancelled,
  SLIPWAY_CHECKSUM_MISMATCH: EXIT.checksum,
  SLIPWAY_TRANSFER_DEADLINE: EXIT.source,
  SLIPWAY_TEMPLATE_TOO_LARGE: EXIT.image,
  // Another run has the files.
  SLIPWAY_RESOURCE_BUSY: EXIT.pool,
  // The image is not to blame.
  SLIPWAY_UNPACK_TOOL: EXIT.host,
};

const BY_FAMILY: readonly [prefix: string, exitCode: ExitCode][] = [
  ['SLIPWAY_URL_', EXIT.source],
  ['SLIPWAY_SOURCE', EXIT.source],
  ['SLIPWAY_METALINK_', EXIT.source],
  ['SLIPWAY_UNPACK_', EXIT.image],
  ['SLIPWAY_IMAGE_', EXIT.image],
  ['SLIPWAY_POOL_', EXIT.pool],
];

/** What the process ends with after an error. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return BY_CODE[code] ?? BY_FAMILY.find(([prefix]) => code.startsWith(prefix))?.[1] ?? EXIT.host;
}
