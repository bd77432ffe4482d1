import { isSystemdRunning, systemctl } from './systemctl.js';
import { SlipwayError } from '../../shared/errors.js';

/** @throws SlipwayError SLIPWAY_INSTALLATION */
export async function startUnit(unitName: string): Promise<void> {
  if (!isSystemdRunning()) {
    throw new SlipwayError('SLIPWAY_INSTALLATION', 'systemd does not run this machine: start the host worker yourself');
  }
  await systemctl(['daemon-reload']);
  await systemctl(['enable', unitName]);
  // Not only started: one that runs already is to read what was just written.
  await systemctl(['restart', unitName]);
}
