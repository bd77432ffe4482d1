import { and, eq, isNull, ne, not, or, sql } from 'drizzle-orm';
import { MOST_KEYSTORE_BYTES } from '../shared/certificates.js';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { isConfirmed, isEquipped, isOnSomeHost } from './keystore-sql.js';
import type { Caller } from './reads/find-caller.js';
import {
  dataCenter,
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from './schema/index.js';

type CertificateRow = typeof certificate.$inferSelect;

/** What a certificate says of itself; times as ISO 8601. */
export type CertificateFacts = Pick<
  CertificateRow,
  'certificate' | 'fingerprint' | 'subject' | 'issuer' | 'serialNumber' | 'version' | 'notBefore' | 'notAfter'
>;

/**
 * Has all hosts of a zone trust a certificate.
 *
 * @throws SlipwayError SLIPWAY_CERTIFICATE_REFUSED when the alias is taken, or the zone has too many
 */
export const addCertificate = (
  db: Database,
  caller: Pick<Caller, 'accountId' | 'userId'>,
  { zoneId, alias, facts }: { zoneId: string; alias: string; facts: CertificateFacts },
): Promise<CertificateRow> =>
  db.transaction(async (tx) => {
    const generation = await nextGeneration(tx, zoneId);
    await freeAlias(tx, zoneId, alias);
    await requireRoom(tx, { zoneId, certificate: facts.certificate });
    const [added] = await tx
      .insert(certificate)
      .values({ zoneId, alias, ...facts })
      .returning();
    await tx.insert(map).select(
      tx
        .select({
          certificateId: sql`${added!.id}::uuid`.as('certificate_id'),
          hostId: host.id,
          revoked: sql`false`.as('revoked'),
          generation: sql`${generation}::bigint`.as('generation'),
          reason: sql`null::text`.as('reason'),
          lastUpdated: sql`now()`.as('last_updated'),
        })
        .from(host)
        .where(and(eq(host.dataCenterId, zoneId), isEquipped)),
    );
    await note(tx, caller, added!, 'UPLOAD', 'is to be trusted by all hosts of its zone');
    return added!;
  });

/**
 * Has one host trust a certificate, whatever was wanted of it before.
 *
 * @throws SlipwayError SLIPWAY_CERTIFICATE_REFUSED when it is gone, or the zone has too many
 */
export const provisionCertificate = (
  db: Database,
  caller: Pick<Caller, 'accountId' | 'userId'>,
  subject: CertificateRow,
  { id: hostId, name }: { id: string; name: string },
): Promise<void> =>
  db.transaction(async (tx) => {
    const generation = await nextGeneration(tx, subject.zoneId);
    await requireCertificate(tx, subject);
    await requireRoom(tx, subject);
    const wanted = { revoked: false, generation, reason: null, lastUpdated: sql`now()` };
    await tx
      .insert(map)
      .values({ certificateId: subject.id, hostId, ...wanted })
      .onConflictDoUpdate({ target: [map.certificateId, map.hostId], set: wanted });
    await note(tx, caller, subject, 'PROVISION', `is to be trusted by host ${name}`);
  });

/**
 * Has hosts no longer trust a certificate: one, or all of its zone and those that join it.
 *
 * @throws SlipwayError SLIPWAY_CERTIFICATE_REFUSED when the one host was never to have it
 */
export const revokeCertificate = (
  db: Database,
  caller: Pick<Caller, 'accountId' | 'userId'>,
  subject: CertificateRow,
  only: { id: string; name: string } | undefined,
): Promise<void> =>
  db.transaction(async (tx) => {
    const generation = await nextGeneration(tx, subject.zoneId);
    await requireCertificate(tx, subject);
    const known = and(eq(map.certificateId, subject.id), only && eq(map.hostId, only.id));
    if (only && (await tx.$count(map, known)) === 0) {
      throw refusal(
        `Certificate ${subject.alias} cannot be revoked from host ${only.name} as it is not available on the host`,
      );
    }
    // What a host has confirmed that it has not any more stays so.
    await tx
      .update(map)
      .set({ revoked: true, generation, reason: null, lastUpdated: sql`now()` })
      .from(host)
      .where(and(eq(host.id, map.hostId), known, not(and(map.revoked, isNull(map.reason), isConfirmed)!)));
    if (!only) await tx.update(certificate).set({ revoked: true }).where(eq(certificate.id, subject.id));
    const whom = only ? `host ${only.name}` : 'all hosts of its zone';
    await note(tx, caller, subject, 'REVOKE', `is no longer to be trusted by ${whom}`);
  });

/** Locks the zone first of all: what is wanted of its hosts has one order, and a set and its generation belong together. */
async function nextGeneration(tx: Transaction, zoneId: string): Promise<number> {
  const [zone] = await tx
    .update(dataCenter)
    .set({ certificateGeneration: sql`${dataCenter.certificateGeneration} + 1` })
    .where(and(eq(dataCenter.id, zoneId), isNull(dataCenter.removed)))
    .returning();
  if (!zone) throw refusal(`There is no zone ${zoneId}`);
  return zone.certificateGeneration;
}

/** An alias that no host is to trust any more may name another certificate. */
async function freeAlias(tx: Transaction, zoneId: string, alias: string): Promise<void> {
  const [holder] = await tx
    .select({ id: certificate.id, isUsed: or(not(certificate.revoked), isOnSomeHost(tx))!.mapWith(Boolean) })
    .from(certificate)
    .where(and(eq(certificate.zoneId, zoneId), eq(sql`lower(${certificate.alias})`, alias.toLowerCase())));
  if (!holder) return;
  if (holder.isUsed) throw refusal(`Certificate alias ${alias} has been already created`);
  await tx.delete(certificate).where(eq(certificate.id, holder.id));
}

/** Hosts get all that they are to have in one message. What no host is to have any more takes no room in it. */
async function requireRoom(
  tx: Transaction,
  { id, zoneId, certificate: pem }: Pick<CertificateRow, 'zoneId' | 'certificate'> & { id?: string },
): Promise<void> {
  const [others] = await tx
    .select({ sizeBytes: sql`coalesce(sum(length(${certificate.certificate})), 0)`.mapWith(Number) })
    .from(certificate)
    .where(
      and(
        eq(certificate.zoneId, zoneId),
        id === undefined ? undefined : ne(certificate.id, id),
        or(eq(certificate.revoked, false), isOnSomeHost(tx)),
      ),
    );
  if (others!.sizeBytes + pem.length <= MOST_KEYSTORE_BYTES) return;
  throw refusal(
    `The certificates of a zone may have ${MOST_KEYSTORE_BYTES} bytes together. Revoke those that nobody needs`,
  );
}

/** Another upload may have taken its place since it was read. */
async function requireCertificate(tx: Transaction, { id, alias }: CertificateRow): Promise<void> {
  const [present] = await tx.select({ id: certificate.id }).from(certificate).where(eq(certificate.id, id));
  if (!present) throw refusal(`Certificate alias ${alias} does not exist`);
}

const refusal = (message: string): SlipwayError => new SlipwayError('SLIPWAY_CERTIFICATE_REFUSED', message);

const note = (
  tx: Transaction,
  caller: Pick<Caller, 'accountId' | 'userId'>,
  { id, alias }: CertificateRow,
  what: 'UPLOAD' | 'PROVISION' | 'REVOKE',
  text: string,
) =>
  audit(tx, caller, {
    type: `DIRECT.DOWNLOAD.CERTIFICATE.${what}`,
    description: `Certificate ${alias} ${text}`,
    resourceType: 'DirectDownloadCertificate',
    resourceId: id,
  });
