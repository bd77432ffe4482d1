import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { certificateStatus, isPending } from '../keystore-sql.js';
import {
  dataCenter,
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface CertificateFilter {
  id?: string;
  zoneId?: string;
  alias?: string;
  keyword?: string;
}

const select = (db: Database) =>
  db
    .select({ certificate, zoneName: dataCenter.name, total })
    .from(certificate)
    .innerJoin(dataCenter, eq(dataCenter.id, certificate.zoneId));

export type ListedCertificate = Omit<Awaited<ReturnType<typeof select>>[number], 'total'>;

const matching = (filter: CertificateFilter) =>
  and(
    given(filter.id, (id) => eq(certificate.id, id)),
    given(filter.zoneId, (id) => eq(certificate.zoneId, id)),
    given(filter.alias, (alias) => isText(certificate.alias, alias)),
    given(filter.keyword, (text) => contains(certificate.alias, text)),
  );

export const listCertificates = (db: Database, filter: CertificateFilter, page: Page) =>
  listed(select(db).where(matching(filter)).orderBy(asc(certificate.alias), asc(certificate.id)), page);

/** At most one, when it is looked for by id, or by zone and alias. */
export async function findCertificate(db: Database, filter: CertificateFilter): Promise<ListedCertificate | undefined> {
  const [row] = await select(db).where(matching(filter));
  return row;
}

const selectHosts = (db: Database) =>
  db
    .select({ map, status: certificateStatus, hostName: host.name, hostStatus: host.status })
    .from(map)
    .innerJoin(host, and(eq(host.id, map.hostId), isNull(host.removed)));

export type CertificateOnHost = Awaited<ReturnType<typeof selectHosts>>[number];

/** What is known of certificates on each host that they were ever wanted on. */
export const listCertificateHosts = (
  db: Database,
  certificateIds: string[],
  hostId?: string,
): Promise<CertificateOnHost[]> =>
  selectHosts(db)
    .where(
      and(
        inArray(map.certificateId, certificateIds),
        given(hostId, (id) => eq(map.hostId, id)),
      ),
    )
    .orderBy(asc(host.name), asc(host.id));

/** Whether no host that answers has yet to say what came of a certificate there. */
export async function isCertificateSettled(db: Database, certificateId: string, hostId?: string): Promise<boolean> {
  const open = await db
    .select({ one: sql`1` })
    .from(map)
    .innerJoin(host, and(eq(host.id, map.hostId), eq(host.status, 'Up')))
    .where(
      and(
        eq(map.certificateId, certificateId),
        isPending,
        given(hostId, (id) => eq(map.hostId, id)),
      ),
    )
    .limit(1);
  return open.length === 0;
}
