import { forgetExpiredKeys } from '../../kvm/write-host-config.js';
import type { HostKeys } from '../../kvm/keystore/host-keys.js';

const HOUR_MS = 3_600_000;

/** Takes keys out of use, and out of host.json, that were changed for others and are not accepted any more. */
export function forgetExpiredKeysHourly(configPath: string, keys: HostKeys): NodeJS.Timeout {
  const forget = async (): Promise<void> => {
    await keys.reload();
    await forgetExpiredKeys(configPath, Date.now());
  };
  // Where it cannot be written, as below a unit of an older version, `slipway doctor` tells of them.
  const tryToForget = (): void => void forget().catch(() => undefined);
  tryToForget();
  return setInterval(tryToForget, HOUR_MS).unref();
}
