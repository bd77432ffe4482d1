import { sql } from 'drizzle-orm';
import { boolean, check, integer, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, id } from './columns.js';
import { dataCenter } from './data-center.js';

const moment = () => timestamp({ withTimezone: true, mode: 'string' }).notNull();

/**
 * A certificate that the hosts of a zone trust for downloads beside the public roots. An alias that was revoked for the
 * whole zone is free again: the next upload takes the place of its row.
 */
export const directDownloadCertificate = pgTable(
  'direct_download_certificate',
  {
    id: id(),
    alias: text().notNull(),
    /** One or more CERTIFICATE blocks, made from the DER of what was uploaded. */
    certificate: text().notNull(),
    /** SHA-256 of the whole chain's DER, lower-case hex. */
    fingerprint: text().notNull(),
    /** These are of the first certificate of the chain. */
    subject: text().notNull(),
    issuer: text().notNull(),
    /** Decimal. */
    serialNumber: text().notNull(),
    version: integer().notNull(),
    /** All certificates of the chain are valid between these. */
    notBefore: moment(),
    notAfter: moment(),
    zoneId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    hypervisorType: text({ enum: ['KVM'] })
      .notNull()
      .default('KVM'),
    /** Whether hosts that were not told otherwise are to be without it. */
    revoked: boolean().notNull().default(false),
    /** The event of its end that was last recorded: so many days ahead, 0 for the end itself. */
    warnedDays: integer(),
    created: created(),
  },
  (table) => [
    uniqueIndex('direct_download_certificate_zone_id_hypervisor_type_alias_key').on(
      table.zoneId,
      table.hypervisorType,
      sql`lower(${table.alias})`,
    ),
    check('direct_download_certificate_alias_check', sql`${table.alias} ~* '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'`),
    check('direct_download_certificate_fingerprint_check', sql`${table.fingerprint} ~ '^[0-9a-f]{64}$'`),
    check('direct_download_certificate_validity_check', sql`${table.notBefore} <= ${table.notAfter}`),
  ],
);
