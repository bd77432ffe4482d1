import { and, eq, isNull, not, or, sql } from 'drizzle-orm';
import { isOnSomeHost } from '../../../db/keystore-sql.js';
import { dataCenter, directDownloadCertificate as certificate } from '../../../db/schema/index.js';
import { MOST_NOTICE_DAYS, noticeDue } from '../../../shared/certificate-expiry.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';

/**
 * Certificates that some host is to trust and that end soon: an event 30, 7 and 1 days ahead and one at the end, once
 * each, whoever does this at once and however often. The sync does, and each control worker by itself: the interval of
 * the sync may be a year, or never.
 */
export const warnOfExpiry =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  (): Promise<void> =>
    db.transaction(async (tx) => {
      const ending = await tx
        .select({ certificate, zoneName: dataCenter.name })
        .from(certificate)
        .innerJoin(dataCenter, eq(dataCenter.id, certificate.zoneId))
        .where(
          and(
            sql`${certificate.notAfter} <= now() + make_interval(days => ${MOST_NOTICE_DAYS})`,
            sql`coalesce(${certificate.warnedDays}, ${MOST_NOTICE_DAYS + 1}) > 0`,
            isNull(dataCenter.removed),
            or(not(certificate.revoked), isOnSomeHost(tx)),
          ),
        )
        .for('no key update', { of: certificate });
      for (const row of ending) await warn(tx, row.certificate, row.zoneName);
    });

async function warn(
  tx: Transaction,
  { id, alias, notAfter, warnedDays }: typeof certificate.$inferSelect,
  zoneName: string,
): Promise<void> {
  const end = new Date(notAfter);
  const days = noticeDue(end, new Date());
  if (days === undefined || (warnedDays !== null && warnedDays <= days)) return;
  await tx.update(certificate).set({ warnedDays: days }).where(eq(certificate.id, id));
  const when = days === 0 ? 'has expired' : `expires in less than ${days === 1 ? 'a day' : `${days} days`}`;
  await recordEvent(tx, {
    type: 'DIRECT.DOWNLOAD.CERTIFICATE.EXPIRY',
    level: days === 0 ? 'ERROR' : 'WARN',
    description: `Certificate ${alias} of zone ${zoneName} ${when}, on ${end.toISOString()}`,
    resourceType: 'DirectDownloadCertificate',
    resourceId: id,
  });
}
