import { and, eq, isNotNull, isNull, lte, not, sql } from 'drizzle-orm';
import { hasPendingCertificates, holdsWanted } from '../../../db/keystore-sql.js';
import {
  dataCenter,
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from '../../../db/schema/index.js';
import { boundedText } from '../../../shared/bounded-text.js';
import { DIGEST_LENGTH, type KeystoreReport } from '../../../shared/certificates.js';
import type { Transaction } from '../dependencies.js';
import { lockZone } from './lock-keystores.js';

export const boundedDigest = ({ digest }: KeystoreReport): string => boundedText(digest, DIGEST_LENGTH);

/**
 * What a host says by itself that it has, its row being locked. What is as it should be is confirmed. If it is not, and
 * nothing is on its way to the host, what was confirmed is in doubt: a file was removed there, or the host was rebuilt.
 *
 * @param before what it said the last time, when it has not stopped since
 */
export async function recordReport(
  tx: Transaction,
  { id, dataCenterId, keystoreGeneration, keystoreDigest, keystoreConfirmed }: typeof host.$inferSelect,
  report: KeystoreReport | undefined,
  before?: KeystoreReport,
): Promise<void> {
  if (!report || (report.generation === keystoreGeneration && report.digest === keystoreDigest)) return;
  // On its way here when the host confirmed a later set, which it will tell of next. What was confirmed is in no doubt.
  const isOvertaken = report.generation < (keystoreGeneration ?? 0);
  if (isOvertaken && before && report.generation > before.generation) return;
  await lockZone(tx, dataCenterId);
  const keystore = { keystoreGeneration: report.generation, keystoreDigest: boundedDigest(report) };
  await tx.update(host).set(keystore).where(eq(host.id, id));
  const [now] = await tx
    .select({ isRight: holdsWanted, isChanging: hasPendingCertificates })
    .from(host)
    .innerJoin(dataCenter, eq(dataCenter.id, host.dataCenterId))
    .where(eq(host.id, id));
  if (now!.isRight) {
    await confirm(tx, id, report.generation);
    // What is on its way would be of a later generation than what was confirmed.
  } else if (!now!.isChanging || report.generation <= (keystoreConfirmed ?? 0)) {
    await tx.update(host).set({ keystoreConfirmed: null }).where(eq(host.id, id));
    await tx
      .update(map)
      .set({ lastUpdated: sql`now()` })
      .where(and(eq(map.hostId, id), isNull(map.reason)));
  }
}

/**
 * Whether something that is wanted of a host, whose row is locked, waits to be brought to it. Whoever changes what is wanted
 * after this finds the host as this transaction leaves it.
 */
export async function isToBeTold(tx: Transaction, hostId: string): Promise<boolean> {
  const [self] = await tx.select({ zoneId: host.dataCenterId }).from(host).where(eq(host.id, hostId));
  if (!self) return false;
  await lockZone(tx, self.zoneId);
  const [waiting] = await tx
    .select({ id: host.id })
    .from(host)
    .where(and(eq(host.id, hostId), hasPendingCertificates));
  return waiting !== undefined;
}

/** Of generations later than what it says it confirms nothing: it may have said that before one of those came. */
async function confirm(tx: Transaction, hostId: string, saidGeneration: number): Promise<void> {
  const [zone] = await tx
    .select({ id: dataCenter.id, generation: dataCenter.certificateGeneration })
    .from(dataCenter)
    .innerJoin(host, eq(host.dataCenterId, dataCenter.id))
    .where(eq(host.id, hostId));
  const zoneId = zone!.id;
  const generation = Math.min(saidGeneration, zone!.generation);
  await tx.update(host).set({ keystoreConfirmed: generation }).where(eq(host.id, hostId));
  await tx
    .update(map)
    .set({ reason: null, lastUpdated: sql`now()` })
    .where(and(eq(map.hostId, hostId), isNotNull(map.reason), lte(map.generation, generation)));
  const held = await tx
    .select({ certificateId: certificate.id })
    .from(certificate)
    .leftJoin(map, and(eq(map.certificateId, certificate.id), eq(map.hostId, hostId)))
    .where(and(eq(certificate.zoneId, zoneId), not(certificate.revoked), isNull(map.hostId)));
  if (held.length === 0) return;
  await tx
    .insert(map)
    .values(held.map(({ certificateId }) => ({ certificateId, hostId, generation: Math.max(1, generation) })));
}
