import { createHash } from 'node:crypto';
import path from 'node:path';
import { lockOnMachine } from '../../kvm/machine-lock.js';

/**
 * Gives a host its keys with nobody else at it: of two at once one would tell the control plane of a key, and the other
 * write its own.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another process does
 */
export async function aloneWithKeys<Result>(configPath: string, act: () => Promise<Result>): Promise<Result> {
  // The kernel takes no names as long as paths.
  const name = createHash('sha256').update(path.resolve(configPath)).digest('hex').slice(0, 32);
  const release = await lockOnMachine(
    `slipway-keys-${name}`,
    `Another process gives the host of ${configPath} its keys: wait for it`,
  );
  try {
    return await act();
  } finally {
    await release();
  }
}
