import { randomBytes, randomUUID } from 'node:crypto';
import { link, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import { readOwnFile } from '../read-own-file.js';
import { isUuid } from '../uuid.js';
import { syncDirectory, writeFileDurably } from '../write-file-durably.js';

/** In the directory of every pool, and not in what is below a mount point while nothing is mounted there. */
export const POOL_MARKER = '.slipway-pool';

const MAX_MARKER_BYTES = 4096;

/** JSON in the marker file. */
export interface PoolMarker {
  poolId: string;
  /** Two installations in one directory would sweep each other's downloads. */
  installationId: string;
}

export interface PoolClaim {
  installationId: string;
  /** Missing for a host that does not know yet which pool the directory is. */
  poolId?: string;
}

/**
 * Makes a directory a pool, or finds out which pool it is. The file in the directory decides and not whoever asks: of
 * several hosts that join a shared pool at once, one writes it and the others read it.
 *
 * @returns the id of the pool
 * @throws SlipwayError SLIPWAY_POOL_IO when the directory is another pool, another installation's, or inside a pool
 */
export async function claimPoolDirectory(directory: string, { installationId, poolId }: PoolClaim): Promise<string> {
  const outer = await poolAround(await realpath(directory));
  if (outer) {
    throw refusal(`${directory} cannot be a pool: it is inside ${outer}, which is one`);
  }
  if (!(await readPoolMarker(directory))) {
    await createPoolMarker(directory, { poolId: poolId ?? randomUUID(), installationId });
  }
  const found = await readPoolMarker(directory);
  if (!found) throw refusal(`${directory} does not keep the file ${POOL_MARKER}`);
  if (found.installationId !== installationId) {
    throw refusal(
      `${directory} is a pool of another installation. If that is gone, remove ${join(directory, POOL_MARKER)}`,
    );
  }
  if (poolId !== undefined && found.poolId !== poolId) {
    throw refusal(`${directory} is pool ${found.poolId}, and pool ${poolId} is expected there`);
  }
  return found.poolId;
}

/**
 * A mount point with nothing mounted is an empty directory on the root disk: a download would fill the host, and its
 * copy would count as one on the pool.
 *
 * @throws SlipwayError SLIPWAY_POOL_IO
 */
export async function requirePoolMarker(directory: string, poolId: string): Promise<void> {
  const problem = await misplacement(directory, poolId);
  if (problem !== undefined) throw refusal(`Primary storage pool ${poolId}: ${problem}`);
}

/**
 * Why a directory is not the pool that it should be; undefined when it is.
 *
 * @throws SlipwayError SLIPWAY_POOL_IO when the file is damaged
 */
export async function misplacement(directory: string, poolId: string): Promise<string | undefined> {
  const found = await readPoolMarker(directory);
  if (found?.poolId === poolId) return undefined;
  return found
    ? `${directory} is pool ${found.poolId}. Is the right file system mounted there?`
    : `${directory} has no file ${POOL_MARKER}. Is the pool mounted there?`;
}

/** @returns undefined when there is none */
async function readPoolMarker(directory: string): Promise<PoolMarker | undefined> {
  const text = await readOwnFile(join(directory, POOL_MARKER), MAX_MARKER_BYTES);
  if (text === undefined) return undefined;
  const marker = parsePoolMarker(text);
  if (!marker) throw refusal(`${join(directory, POOL_MARKER)} is damaged`);
  return marker;
}

function parsePoolMarker(text: string): PoolMarker | undefined {
  try {
    const { poolId, installationId } = JSON.parse(text) as Partial<PoolMarker>;
    if (typeof poolId !== 'string' || !isUuid(poolId) || typeof installationId !== 'string') return undefined;
    return { poolId, installationId };
  } catch {
    return undefined;
  }
}

/** There as a whole or not at all, and never in place of one that another host has made. */
async function createPoolMarker(directory: string, marker: PoolMarker): Promise<void> {
  const path = join(directory, POOL_MARKER);
  const made = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    // Others read it too: behind root_squash the hosts of a pool may be different users.
    await writeFileDurably(made, `${JSON.stringify(marker)}\n`, 0o644);
    await link(made, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(made, { force: true });
  }
  await syncDirectory(directory);
}

/** @returns the directory above that is a pool: evicting and sweeping there must not meet another pool's files */
async function poolAround(directory: string): Promise<string | undefined> {
  const parent = dirname(directory);
  if (parent === directory) return undefined;
  // Directories above that this user may not look into are not ours.
  const marker = await readPoolMarker(parent).catch(() => undefined);
  return marker ? parent : poolAround(parent);
}

const refusal = (message: string): SlipwayError => new SlipwayError('SLIPWAY_POOL_IO', message);
