import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { created } from './columns.js';
import { directDownloadCertificate } from './direct-download-certificate.js';
import { host } from './host.js';

/**
 * What is wanted of a certificate on a host. Whether the host has confirmed it is written once for all of them, as
 * `host.keystoreConfirmed`: `certificateStatus` (`db/keystore-sql.ts`).
 */
export const directDownloadCertificateHostMap = pgTable(
  'direct_download_certificate_host_map',
  {
    certificateId: uuid()
      .notNull()
      .references(() => directDownloadCertificate.id, { onDelete: 'cascade' }),
    hostId: uuid()
      .notNull()
      .references(() => host.id, { onDelete: 'cascade' }),
    /** Whether the host is to be without it. */
    revoked: boolean().notNull().default(false),
    /** Of the zone when `revoked` was last set: what a host says of an older set proves nothing. */
    generation: bigint({ mode: 'number' }).notNull(),
    /** Why the host, which was asked, could not; null unless it is so. */
    reason: text(),
    lastUpdated: created(),
  },
  (table) => [
    primaryKey({
      name: 'direct_download_certificate_host_map_pkey',
      columns: [table.certificateId, table.hostId],
    }),
    // What of a host was changed since it confirmed all: the loop of certificates that wait looks every few seconds.
    index('direct_download_certificate_host_map_host_id_generation_idx').on(table.hostId, table.generation),
    index('direct_download_certificate_host_map_failed_idx')
      .on(table.hostId)
      .where(sql`reason is not null`),
    // Hosts that have confirmed nothing count as having confirmed 0.
    check('direct_download_certificate_host_map_generation_check', sql`${table.generation} > 0`),
  ],
);
