import { and, eq, exists, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from './client.js';
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

/** Of a certificate of a query: whether it was said of a host, one that is still there, that it is to have it. */
export const isOnSomeHost = (db: Pick<Database, 'select'>): SQL =>
  exists(
    db
      .select({ one: sql`1` })
      .from(map)
      .innerJoin(host, and(eq(host.id, map.hostId), isEquipped))
      .where(and(eq(map.certificateId, certificate.id), eq(map.revoked, false))),
  );

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

/** `PENDING`: the host has not confirmed what is wanted. `FAILED`: it was asked, and could not. */
export type CertificateStatus = 'PENDING' | 'UPLOADED' | 'FAILED' | 'REVOKED';

/** Of `map` joined with `host`: whether it was wanted when the host last confirmed all that it could. Generations begin at 1. */
export const isConfirmed: SQL<boolean> = sql<boolean>`(${map.generation} <= coalesce(${host.keystoreConfirmed}, 0))`;

/** Of `map` joined with `host`: that what is wanted may be on its way there. */
export const isPending: SQL<boolean> = sql<boolean>`(not ${isConfirmed} and ${map.reason} is null)`;

/** Of `map` joined with `host`. */
export const certificateStatus: SQL<CertificateStatus> = sql<CertificateStatus>`case
  when ${map.reason} is not null then 'FAILED'
  when ${isPending} then 'PENDING'
  when ${map.revoked} then 'REVOKED' else 'UPLOADED' end`;

const hasSome = (condition: SQL): SQL<boolean> =>
  sql<boolean>`exists (select 1 from ${map} where ${map.hostId} = ${host.id} and ${condition})`;

/** Whether something that is wanted of a host may be on its way there. */
export const hasPendingCertificates = hasSome(isPending);

/**
 * Whether something that is wanted of a host was not confirmed. What FAILED first: of a host that has confirmed nothing all
 * rows are looked through for one that waits.
 */
export const hasOpenCertificates = or(hasSome(isNotNull(map.reason)), hasPendingCertificates)!;
