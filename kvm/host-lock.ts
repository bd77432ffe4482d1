import { lockOnMachine } from './machine-lock.js';

export interface HostLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only worker of a host on this machine: two would sweep each other's partial files.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another process has it
 */
export async function acquireHostLock(hostId: string): Promise<HostLock> {
  return {
    release: await lockOnMachine(`slipway-host-${hostId}`, `Another worker on this machine serves host ${hostId}`),
  };
}
