import type { ProvisionCertificatesInput } from '../shared/certificates.js';
import { control } from './activity-proxies.js';
import { equipZones } from './provision-certificates/equip-zones.js';

/**
 * Brings what was uploaded or revoked to the hosts of a zone: each that differs is made equal to what it should be,
 * whichever certificate it is about. One that is Down is given its certificates when it is back.
 */
export async function provisionCertificates({ zoneId }: ProvisionCertificatesInput): Promise<void> {
  await equipZones(await control('which hosts differ?').listDueKeystores({ zoneId }));
}
