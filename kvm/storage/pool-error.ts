import { isSlipwayError, SlipwayError } from '../../shared/errors.js';

const FULL_CODES = new Set(['ENOSPC', 'EDQUOT']);

/** Runs work on a pool's files; what the file system or a tool says becomes an error that names the pool. */
export async function onPool<T>(poolId: string, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isSlipwayError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isFull = (code !== undefined && FULL_CODES.has(code)) || message.includes('No space left on device');
    throw new SlipwayError(
      isFull ? 'SLIPWAY_POOL_FULL' : 'SLIPWAY_POOL_IO',
      `Primary storage pool ${poolId}: cannot ${doing}: ${isFull ? 'no space left' : message}`,
      { cause: error },
    );
  }
}

/** ENOENT as undefined: a file that is not there is an answer, not a failure. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
