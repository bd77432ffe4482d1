import type { CertificateStatus } from '../../db/keystore-sql.js';
import type { CertificateOnHost, ListedCertificate } from '../../db/reads/list-certificates.js';
import { noticeDue } from '../../shared/certificate-expiry.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const hostStatusFields = {
  hostid: field('string', 'ID of the host.'),
  hostname: field('string', 'Name of the host.'),
  status: field(
    'string',
    'UPLOADED or REVOKED when the host has confirmed it, FAILED, SKIPPED while the host is not Up, PENDING when it has not answered yet.',
  ),
  details: field('string', 'Why it is none of UPLOADED and REVOKED.'),
} as const;

export const certificateFields = {
  id: field('string', 'ID of the certificate.'),
  alias: field('string', 'Name, of which a zone has one.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  version: field('string', 'X.509 version. This and the next four are of the first certificate of a chain.'),
  subject: field('string', 'Whose certificate it is.'),
  issuer: field('string', 'Who signed it.'),
  validity: field('string', 'From when to when all certificates of the chain are valid.'),
  serialnum: field('string', 'Serial number, decimal.'),
  hypervisor: field('string', 'KVM.'),
  expirystatus: field(
    'string',
    'VALID, EXPIRES_IN_30_DAYS, EXPIRES_IN_7_DAYS, EXPIRES_IN_1_DAYS or EXPIRED. CloudStack has no such key.',
  ),
  hostsmap: field('list', 'What is known of it on each host; in lists with listhosts=true only.', hostStatusFields),
} as const;

export const certificateResponse = (
  { certificate, zoneName }: ListedCertificate,
  now: Date,
): ResponseOf<typeof certificateFields> => ({
  id: certificate.id,
  alias: certificate.alias,
  zoneid: certificate.zoneId,
  zonename: zoneName,
  version: String(certificate.version),
  subject: certificate.subject,
  issuer: certificate.issuer,
  validity: `From: [${javaDate(certificate.notBefore)}] - To: [${javaDate(certificate.notAfter)}]`,
  serialnum: certificate.serialNumber,
  hypervisor: certificate.hypervisorType,
  expirystatus: expiryStatus(new Date(certificate.notAfter), now),
});

function expiryStatus(notAfter: Date, now: Date): string {
  const days = noticeDue(notAfter, now);
  if (days === undefined) return 'VALID';
  return days === 0 ? 'EXPIRED' : `EXPIRES_IN_${days}_DAYS`;
}

export function hostStatusResponse({ map, status, hostName, hostStatus }: CertificateOnHost) {
  const isSkipped = status === 'PENDING' && hostStatus !== 'Up';
  return {
    hostid: map.hostId,
    hostname: hostName,
    status: isSkipped ? 'SKIPPED' : status,
    details: map.reason ?? detailsOf(status, map.revoked, isSkipped ? hostStatus : undefined),
  } satisfies ResponseOf<typeof hostStatusFields>;
}

function detailsOf(status: CertificateStatus, isRevoked: boolean, away: string | undefined): string | null {
  const what = isRevoked ? 'revoked' : 'provisioned';
  if (away !== undefined) return `The host is ${away}: it will be ${what} when the host is Up again`;
  return status === 'PENDING' ? `It is still being ${what}` : null;
}

/** As Java shows dates, in UTC: `Thu Jan 01 00:00:00 UTC 1970`. */
function javaDate(text: string): string {
  const [day, date, month, year, time] = new Date(text).toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
