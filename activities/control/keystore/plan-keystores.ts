import { and, asc, eq, exists, isNull, not, or, sql } from 'drizzle-orm';
import { hasOpenCertificates, holdsWanted, isEquipped, isWanted } from '../../../db/keystore-sql.js';
import { isAnyOf } from '../../../db/reads/list-query.js';
import {
  dataCenter,
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from '../../../db/schema/index.js';
import {
  type KeystoreHosts,
  type KeystorePlan,
  latestGeneration,
  type ToldCertificate,
} from '../../../shared/certificates.js';
import { packCertificates } from '../../../kvm/keystore/packed-certificates.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';

// The cheaper one first: of a host that has not confirmed something no digest is made.
const isDue = or(hasOpenCertificates, not(holdsWanted));

/**
 * Up hosts that do not have the certificates that they should, by what they said last, or that have not confirmed
 * something: those of one zone, or of all enabled ones.
 */
export const listDueKeystores =
  ({ db }: ControlDependencies) =>
  async ({ zoneId }: { zoneId?: string }): Promise<KeystoreHosts[]> => {
    const due = await db
      .select({ zoneId: host.dataCenterId, hostIds: sql<string[]>`array_agg(${host.id}::text order by ${host.id})` })
      .from(host)
      .innerJoin(dataCenter, and(eq(dataCenter.id, host.dataCenterId), isNull(dataCenter.removed)))
      .where(
        and(
          isEquipped,
          eq(host.status, 'Up'),
          zoneId === undefined ? eq(dataCenter.allocationState, 'Enabled') : eq(dataCenter.id, zoneId),
          isDue,
        ),
      )
      .groupBy(host.dataCenterId);
    return due;
  };

/** What to tell those of the hosts that still differ. */
export const planKeystores =
  ({ db }: ControlDependencies) =>
  async ({ zoneId, hostIds }: KeystoreHosts): Promise<KeystorePlan> =>
    db.transaction(async (tx) => {
      // A set and its generation belong together: nobody changes what is wanted meanwhile.
      const [zone] = await tx.select().from(dataCenter).where(eq(dataCenter.id, zoneId)).for('no key update');
      const hosts = await tx
        .select({ id: host.id, name: host.name, generation: host.keystoreGeneration })
        .from(host)
        .innerJoin(dataCenter, eq(dataCenter.id, host.dataCenterId))
        .where(and(eq(dataCenter.id, zoneId), isAnyOf(host.id, hostIds), isEquipped, isDue))
        .orderBy(asc(host.name), asc(host.id));
      if (!zone || hosts.length === 0) return { zoneId, generation: 0, certificates: [], hosts: [] };
      const dueIds = hosts.map(({ id }) => id);
      const certificates = await wantedBySome(tx, zoneId, dueIds);
      const without = await notWanted(tx, certificates, dueIds);
      return {
        zoneId,
        generation: await generationFor(tx, zone, hosts),
        certificates,
        hosts: hosts.map(({ id, name }) => ({ hostId: id, hostName: name, without: without.get(id) })),
      };
    });

/** The certificates of a plan, as they go to its hosts. One that was removed since has no text, and is rejected by name. */
export const packKeystore =
  ({ db }: ControlDependencies) =>
  async ({ certificates }: Pick<KeystorePlan, 'certificates'>): Promise<Uint8Array> => {
    const ids = certificates.map(({ id }) => id);
    const rows = await db
      .select({ id: certificate.id, pem: certificate.certificate })
      .from(certificate)
      .where(isAnyOf(certificate.id, ids));
    const texts = new Map(rows.map(({ id, pem }) => [id, pem]));
    return packCertificates(certificates.map((one) => ({ ...one, pem: texts.get(one.id) ?? '' })));
  };

/** Certificates that at least one of the hosts, all of this zone, is to have. */
const wantedBySome = (tx: Transaction, zoneId: string, hostIds: string[]): Promise<ToldCertificate[]> =>
  tx
    .select({ id: certificate.id, alias: certificate.alias, fingerprint: certificate.fingerprint })
    .from(certificate)
    .where(
      and(
        eq(certificate.zoneId, zoneId),
        exists(
          tx
            .select({ id: host.id })
            .from(host)
            .leftJoin(map, and(eq(map.certificateId, certificate.id), eq(map.hostId, host.id)))
            .where(and(isAnyOf(host.id, hostIds), isWanted)),
        ),
      ),
    )
    .orderBy(asc(certificate.alias));

/** By host, places of those of the certificates that are not for it. Most hosts have all: one row for each pair would be many. */
async function notWanted(
  tx: Transaction,
  certificates: ToldCertificate[],
  hostIds: string[],
): Promise<Map<string, number[]>> {
  const ids = certificates.map(({ id }) => id);
  const rows = await tx
    .select({ hostId: host.id, ids: sql<string[]>`json_agg(${certificate.id})` })
    .from(host)
    .innerJoin(certificate, isAnyOf(certificate.id, ids))
    .leftJoin(map, and(eq(map.certificateId, certificate.id), eq(map.hostId, host.id)))
    .where(and(isAnyOf(host.id, hostIds), not(isWanted)))
    .groupBy(host.id);
  const places = new Map(ids.map((id, place) => [id, place]));
  return new Map(rows.map((row) => [row.hostId, row.ids.map((id) => places.get(id)!)]));
}

/** Hosts that know of a later generation, as after the database was restored from a backup, would refuse the zone's. */
async function generationFor(
  tx: Transaction,
  { id, certificateGeneration }: typeof dataCenter.$inferSelect,
  hosts: { generation: number | null }[],
): Promise<number> {
  const latest = latestGeneration(hosts.map(({ generation }) => generation));
  if (latest <= certificateGeneration) return certificateGeneration;
  await tx
    .update(dataCenter)
    .set({ certificateGeneration: latest + 1 })
    .where(eq(dataCenter.id, id));
  return latest + 1;
}
