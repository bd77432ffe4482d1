import { findHost } from '../../db/reads/list-hosts.js';
import { listZones } from '../../db/reads/list-zones.js';
import {
  type CertificateOnHost,
  isCertificateSettled,
  listCertificateHosts,
} from '../../db/reads/list-certificates.js';
import { SlipwayError } from '../../shared/errors.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function requireKvm(hypervisor: string): void {
  if (hypervisor.toLowerCase() !== 'kvm') {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'Currently supporting KVM hosts only');
  }
}

export async function requireZone({ db, caller, command }: CommandContext, zoneId: string): Promise<void> {
  const { count } = await listZones(db, caller, { ids: [zoneId], isAscending: true }, { limit: 1, offset: 0 });
  if (count === 0) throw noSuchEntity(command, 'zoneid', zoneId);
}

/** A host of this zone. */
export async function hostOf(
  { db, command }: CommandContext,
  zoneId: string,
  hostId: string,
): Promise<{ id: string; name: string }> {
  const found = await findHost(db, hostId);
  if (!found) throw noSuchEntity(command, 'hostid', hostId);
  if (found.host.dataCenterId !== zoneId) {
    throw refusal(`Host ${found.host.name} is not in the zone of the certificate`);
  }
  return found.host;
}

/** Has hosts told of a change, and gives what each of them has, or the one, as far as it is known after 10 s. */
export async function provision(
  context: CommandContext,
  certificate: { id: string; zoneId: string },
  hostId: string | undefined,
): Promise<CertificateOnHost[]> {
  await context.provisionCertificates(certificate, () => isCertificateSettled(context.db, certificate.id, hostId));
  return listCertificateHosts(context.db, [certificate.id], hostId);
}

export const refusal = (message: string) => new SlipwayError('SLIPWAY_CERTIFICATE_REFUSED', message);
