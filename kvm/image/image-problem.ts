import type { ErrorCode } from '../../shared/errors.js';

/** Why a file is no safe image, in plain words that go on after "the file is refused: ". */
export interface ImageProblem {
  code: Extract<ErrorCode, `SLIPWAY_IMAGE_${string}`>;
  reason: string;
}

type Kind = ImageProblem['code'] extends `SLIPWAY_IMAGE_${infer Name}` ? Name : never;

export const problem = (kind: Kind, reason: string): ImageProblem => ({ code: `SLIPWAY_IMAGE_${kind}`, reason });
