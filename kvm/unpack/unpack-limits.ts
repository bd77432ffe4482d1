import { SlipwayError } from '../../shared/errors.js';

const MIB = 1024 ** 2;

/** Beside its size, what an unpacked file may be for each byte that it was packed in. */
interface RatioLimit {
  /** Up to here any ratio is fine: to write so much takes a decompressor few seconds. */
  freeBytes: number;
  ratio: number;
}

/**
 * Zeros cost time but no space: a disk that is nearly empty may have many. The largest image by default, 50 GiB, from
 * 100 MiB is just this. Every bomb goes past it: gzip turns one byte of its own into 900 to 1,030 zeros, xz into 6,500
 * and more. An image that begins with more than the free size of nothing is refused as well.
 */
const WITH_ZEROS: RatioLimit = { freeBytes: 512 * MIB, ratio: 512 };

/** What fills the pool. Programs and documents are packed to a half or a tenth; only what repeats itself goes past this. */
const STORED: RatioLimit = { freeBytes: 256 * MIB, ratio: 128 };

export interface UnpackLimits {
  /** Length of the unpacked file, holes included. */
  maxOutputBytes: number;
}

export interface UnpackState {
  /** Bytes of the packed file that were given to the decompressor. */
  inputBytes: number;
  /** How far the unpacked file reaches, holes included. */
  outputBytes: number;
  /** What of that takes space. */
  storedBytes: number;
}

/** @returns why unpacking has to end, if it has to: SLIPWAY_UNPACK_TOO_LARGE, SLIPWAY_UNPACK_RATIO */
export function brokenLimit(state: UnpackState, { maxOutputBytes }: UnpackLimits): SlipwayError | undefined {
  const { inputBytes, outputBytes, storedBytes } = state;
  if (outputBytes > maxOutputBytes) return tooLarge(maxOutputBytes);
  const isBomb = isBeyond(WITH_ZEROS, outputBytes, inputBytes) || isBeyond(STORED, storedBytes, inputBytes);
  if (!isBomb) return undefined;
  return new SlipwayError(
    'SLIPWAY_UNPACK_RATIO',
    `The file unpacks to more than ${Math.floor(outputBytes / Math.max(1, inputBytes))} times its size`,
  );
}

export const tooLarge = (maxOutputBytes: number): SlipwayError =>
  new SlipwayError('SLIPWAY_UNPACK_TOO_LARGE', `The file unpacks to more than ${maxOutputBytes} bytes`);

const isBeyond = ({ freeBytes, ratio }: RatioLimit, outputBytes: number, inputBytes: number): boolean =>
  outputBytes > freeBytes && outputBytes > ratio * inputBytes;
