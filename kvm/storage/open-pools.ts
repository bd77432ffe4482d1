import { realpath } from 'node:fs/promises';
import { SlipwayError } from '../../shared/errors.js';
import type { PoolPlace } from '../../shared/hosts.js';
import { FilesystemPool } from './filesystem-pool.js';
import { findNested } from './nested-directories.js';

/**
 * The pools of a host by id. Whether each is mounted is asked at every use: it may come later, and go.
 *
 * @throws SlipwayError SLIPWAY_POOL_IO when two of them are one directory, or one is inside another: each would take the
 *   other's space for its own
 */
export async function openPools(configs: readonly PoolPlace[]): Promise<Map<string, FilesystemPool>> {
  // By where they really are: a link could lead one into another.
  const paths = await Promise.all(configs.map(({ path }) => realpath(path).catch(() => path)));
  const nested = findNested(paths);
  if (nested) {
    const [outer, inner] = [configs[nested.outer]!, configs[nested.inner]!];
    throw new SlipwayError(
      'SLIPWAY_POOL_IO',
      `The directory ${inner.path} of pool ${inner.poolId} is inside ${outer.path}, which is pool ${outer.poolId}`,
    );
  }
  return new Map(configs.map((config) => [config.poolId, new FilesystemPool(config)]));
}
