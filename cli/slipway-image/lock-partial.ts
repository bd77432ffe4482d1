import { createHash } from 'node:crypto';
import { lockOnMachine } from '../../kvm/machine-lock.js';

/**
 * Makes this process the only one on this host that writes to a partial file. Processes on other hosts that share the
 * directory do not see it.
 *
 * @param partialPath with links in its directory resolved
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY
 */
export function lockPartial(partialPath: string): Promise<() => Promise<void>> {
  const name = createHash('sha256').update(partialPath).digest('hex').slice(0, 32);
  return lockOnMachine(`slipway-image-${name}`, 'Another run is downloading this image into this directory');
}
