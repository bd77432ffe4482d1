import type { TellBandwidthInput } from '../shared/hosts.js';
import { control, onHost } from './activity-proxies.js';

/**
 * Has downloads that run on a host keep to the limits as they are now. One that begins later brings them itself. A host
 * that does not answer is told again.
 */
export async function tellBandwidth({ hostId }: TellBandwidthInput): Promise<void> {
  const caps = await control('what are the limits?').readBandwidth({ hostId });
  try {
    await onHost(hostId, 'limits of downloads that run').setBandwidth({ caps });
  } catch (error) {
    await control('it is to be told again').forgetToldBandwidth({ hostId });
    throw error;
  }
}
