import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { created } from './columns.js';
import { directDownloadCertificate } from './direct-download-certificate.js';
import { host } from './host.js';

/** `PENDING`: the host has not confirmed what is wanted. `FAILED`: it was asked, and could not. */
export const CERTIFICATE_STATUSES = ['PENDING', 'UPLOADED', 'FAILED', 'REVOKED'] as const;

/** What is wanted of a certificate on a host, and what the host has confirmed. */
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
    status: text({ enum: CERTIFICATE_STATUSES }).notNull().default('PENDING'),
    /** Why it FAILED. */
    reason: text(),
    lastUpdated: created(),
  },
  (table) => [
    primaryKey({
      name: 'direct_download_certificate_host_map_pkey',
      columns: [table.certificateId, table.hostId],
    }),
    index('direct_download_certificate_host_map_host_id_idx').on(table.hostId),
    index('direct_download_certificate_host_map_open_idx')
      .on(table.hostId)
      .where(sql`status in ('PENDING', 'FAILED')`),
    check(
      'direct_download_certificate_host_map_status_check',
      sql`case ${table.status} when 'UPLOADED' then not ${table.revoked} when 'REVOKED' then ${table.revoked}
        else ${table.status} in ('PENDING', 'FAILED') end`,
    ),
    check(
      'direct_download_certificate_host_map_failed_has_reason',
      sql`(${table.status} = 'FAILED') = (${table.reason} is not null)`,
    ),
  ],
);
