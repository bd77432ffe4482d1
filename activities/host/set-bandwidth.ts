import type { BandwidthCaps } from '../../kvm/download/bandwidth.js';
import type { HostDependencies } from './dependencies.js';

/** Holds at once, also for downloads that run. */
export const setBandwidth =
  ({ bandwidth }: Pick<HostDependencies, 'bandwidth'>) =>
  ({ caps }: { caps: BandwidthCaps }): Promise<void> => {
    bandwidth.setCaps(caps);
    return Promise.resolve();
  };
