import type { TellBandwidthInput } from '../shared/hosts.js';
import { control, onHost } from './activity-proxies.js';

/** Has downloads that run on a host keep to the limits as they are now. One that begins later brings them itself. */
export async function tellBandwidth({ hostId }: TellBandwidthInput): Promise<void> {
  const caps = await control('what are the limits?').readBandwidth({ hostId });
  await onHost(hostId, 'limits of downloads that run').setBandwidth({ caps });
}
