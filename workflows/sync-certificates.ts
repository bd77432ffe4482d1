import { control } from './activity-proxies.js';
import { equipZones } from './provision-certificates/equip-zones.js';

/**
 * Looks for hosts that do not have the certificates that they should, and for what was never confirmed, in all enabled
 * zones; a round in which nothing is missing asks no host. Certificates that end soon are told of.
 */
export async function syncCertificates(): Promise<void> {
  await control('which certificates end soon?').warnOfExpiry();
  await equipZones(await control('which hosts differ?').listDueKeystores({}));
}
