import { and, eq, exists, not, or, sql } from 'drizzle-orm';
import {
  dataCenter,
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
} from '../../../db/schema/index.js';
import { MOST_NOTICE_DAYS, noticeDue } from '../../../shared/certificate-expiry.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';

/** Certificates that some host is to trust and that end soon: an event 30, 7 and 1 days ahead and one at the end, once each. */
export const warnOfExpiry =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  (): Promise<void> =>
    db.transaction(async (tx) => {
      const users = tx
        .select({ one: sql`1` })
        .from(map)
        .where(and(eq(map.certificateId, certificate.id), eq(map.revoked, false)));
      const ending = await tx
        .select({ certificate, zoneName: dataCenter.name })
        .from(certificate)
        .innerJoin(dataCenter, eq(dataCenter.id, certificate.zoneId))
        .where(
          and(
            sql`${certificate.notAfter} <= now() + make_interval(days => ${MOST_NOTICE_DAYS})`,
            sql`coalesce(${certificate.warnedDays}, ${MOST_NOTICE_DAYS + 1}) > 0`,
            or(not(certificate.revoked), exists(users)),
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
