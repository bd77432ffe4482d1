import { readFinishedDigests } from '../../kvm/download/download.js';
import type { Digest } from '../../shared/checksum.js';
import { SlipwayError } from '../../shared/errors.js';
import { verifyDigests } from '../../shared/expected-digests.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';

export interface VerifyChecksumInput {
  poolId: string;
  copy: TemplateCopyRef;
  /** All must hold. */
  expected: Digest[];
}

/** Compares what was computed while the bytes were written with what was registered and what the metalink says. */
export const verifyChecksum =
  (dependencies: HostDependencies) =>
  async ({ poolId, copy, expected }: VerifyChecksumInput): Promise<void> => {
    const actual = await readFinishedDigests(poolOf(dependencies, poolId).partialPath(copy));
    if (!actual) {
      throw new SlipwayError('SLIPWAY_POOL_IO', 'The downloaded file and its digests are no longer on the pool');
    }
    verifyDigests(expected, actual);
  };
