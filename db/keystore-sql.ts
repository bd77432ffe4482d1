import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { keystoreDigest } from '../kvm/keystore/certificate-chain.js';
import {
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from './schema/index.js';

/** Hosts that certificates are for. */
export const isEquipped = and(eq(host.hypervisorType, 'KVM'), isNull(host.removed));

/** With `map` joined to `certificate` for one host: whether that host is to have it. */
export const isWanted: SQL<boolean> = sql<boolean>`not coalesce(${map.revoked}, ${certificate.revoked})`;

/** `keystoreDigest` of what each host of a query is to have. */
const wantedDigest = sql<string>`(
  select encode(sha256(convert_to(coalesce(string_agg(wanted.line, '' order by wanted.line collate "C"), ''), 'UTF8')), 'hex')
  from (
    select ${certificate.alias} || ' ' || ${certificate.fingerprint} || E'\\n' as line
    from ${certificate}
    left join ${map} on ${map.certificateId} = ${certificate.id} and ${map.hostId} = ${host.id}
    where ${certificate.zoneId} = ${host.dataCenterId} and ${isWanted}
  ) wanted
)`;

/** Whether a host has what it is to have, by what it said last. One that never said anything has nothing. */
export const holdsWanted: SQL<boolean> = sql<boolean>`coalesce(${host.keystoreDigest}, ${keystoreDigest([])}) = ${wantedDigest}`;

const hasStatus = (statuses: SQL): SQL<boolean> =>
  sql<boolean>`exists (select 1 from ${map} where ${map.hostId} = ${host.id} and ${map.status} in (${statuses}))`;

/** Whether something that is wanted of a host was not confirmed. */
export const hasOpenCertificates = hasStatus(sql`'PENDING', 'FAILED'`);

/** Whether something that is wanted of a host may be on its way there. */
export const hasPendingCertificates = hasStatus(sql`'PENDING'`);
