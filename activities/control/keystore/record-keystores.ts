import { and, inArray, isNotNull, sql } from 'drizzle-orm';
import { isConfirmed } from '../../../db/keystore-sql.js';
import {
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from '../../../db/schema/index.js';
import type { KeystoreOutcome, ToldCertificate } from '../../../shared/certificates.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';
import { createJudge, type Finding, type Judgement } from './judge-keystore.js';
import { lockHosts, lockZone } from './lock-keystores.js';
import { boundedDigest } from './record-report.js';

export interface RecordKeystoresInput {
  zoneId: string;
  generation: number;
  certificates: ToldCertificate[];
  outcomes: KeystoreOutcome[];
}

/**
 * What hosts that were told have now. UPLOADED and REVOKED are what a host has confirmed, FAILED has a reason; what was
 * changed since the hosts were told stays as it is.
 */
export const recordKeystores =
  ({ db }: ControlDependencies) =>
  async ({ zoneId, generation, certificates, outcomes: told }: RecordKeystoresInput): Promise<void> =>
    db.transaction(async (tx) => {
      const latest = await lockHosts(
        tx,
        told.map(({ hostId }) => hostId),
      );
      const zoneGeneration = await lockZone(tx, zoneId);
      // The outcome of an order that another has overtaken on its host is late, and says nothing of what the host has now.
      const outcomes = told.filter(({ hostId }) => (latest.get(hostId) ?? 0) <= generation);
      const hostIds = outcomes.map(({ hostId }) => hostId);
      // The database was restored meanwhile: to confirm that would confirm what is still to come. The next plan goes beyond.
      if (generation > zoneGeneration) return storeReports(tx, outcomes, []);
      const judged = await withoutReplaced(tx, outcomes.map(createJudge(generation, certificates)));
      const failed = await tx
        .selectDistinct({ hostId: map.hostId })
        .from(map)
        .where(and(inArray(map.hostId, hostIds), isNotNull(map.reason)));
      await storeReports(tx, outcomes, judged);
      const findings = judged.flatMap((one) => one.findings);
      await recordHeld(
        tx,
        { generation, zoneGeneration },
        findings.filter(({ status }) => status === 'UPLOADED'),
      );
      await recordFailed(
        tx,
        generation,
        findings.filter(({ status }) => status === 'FAILED'),
      );
      await recordRevoked(tx, generation, judged);
      // The sync tries again and again: one event for each host that begins to fail.
      for (const one of judged) if (!failed.some(({ hostId }) => hostId === one.hostId)) await tellFailure(tx, one);
    });

/**
 * What was found of certificates that are there. One that another took the place of before its text was read is rejected by
 * every host, which is no failure of theirs.
 */
async function withoutReplaced(tx: Transaction, judged: Judgement[]): Promise<Judgement[]> {
  const failed = judged.flatMap(({ findings }) => findings.filter(({ status }) => status === 'FAILED'));
  const ids = [...new Set(failed.flatMap(({ certificateIds }) => certificateIds))];
  if (ids.length === 0) return judged;
  const present = await tx.select({ id: certificate.id }).from(certificate).where(inArray(certificate.id, ids));
  const isThere = new Set(present.map(({ id }) => id));
  return judged.map((one) => ({
    ...one,
    findings: one.findings.filter(
      ({ status, certificateIds }) => status !== 'FAILED' || certificateIds.some((id) => isThere.has(id)),
    ),
  }));
}

/** What hosts say that they have, and have confirmed: nothing, where it is something else than they were told. */
async function storeReports(tx: Transaction, outcomes: KeystoreOutcome[], judged: Judgement[]): Promise<void> {
  const rows = outcomes.flatMap(({ hostId, applied }, index) => {
    if (!applied) return [];
    const { report } = applied;
    const isConfirmed = judged[index]?.failure === null;
    return [
      { host_id: hostId, generation: report.generation, digest: boundedDigest(report), is_confirmed: isConfirmed },
    ];
  });
  if (rows.length === 0) return;
  await tx.execute(sql`
    update ${host} as known set keystore_generation = told.generation, keystore_digest = told.digest,
      keystore_confirmed = case when told.is_confirmed then told.generation end
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as told (host_id uuid, generation bigint, digest text, is_confirmed boolean)
    where known.id = told.host_id`);
}

/**
 * That hosts have it is confirmed with their reports. Of one that joined since the upload nothing was said before: when it
 * was revoked in all of the zone in the meantime, it is still to be taken from there.
 */
async function recordHeld(
  tx: Transaction,
  { generation, zoneGeneration }: { generation: number; zoneGeneration: number },
  findings: Finding[],
): Promise<void> {
  if (findings.length === 0) return;
  const rows = sql`jsonb_to_recordset(${JSON.stringify(rowsOf(findings))}::text::jsonb)
    as found (certificate_ids uuid[], host_ids uuid[])`;
  await tx.execute(sql`
    insert into ${map} (certificate_id, host_id, revoked, generation)
    select c.id, on_host.host_id, c.revoked,
      case when c.revoked then ${zoneGeneration}::bigint else ${generation}::bigint end
    from ${rows}
    join ${certificate} c on c.id = any (found.certificate_ids)
    cross join unnest(found.host_ids) as on_host (host_id)
    where not exists (
      select 1 from ${map} known where known.certificate_id = c.id and known.host_id = on_host.host_id)`);
  await tx.execute(sql`
    update ${map} as known set reason = null, last_updated = now()
    from ${rows}
    where known.host_id = any (found.host_ids) and known.certificate_id = any (found.certificate_ids)
      and known.reason is not null and not known.revoked and known.generation <= ${generation}::bigint`);
}

async function recordFailed(tx: Transaction, generation: number, findings: Finding[]): Promise<void> {
  if (findings.length === 0) return;
  // Where nothing was said of a host, the certificate's own `revoked` counts. A row made against it would be a wish.
  await tx.execute(sql`
    insert into ${map} as known (certificate_id, host_id, generation, reason)
    select c.id, ${host.id}, ${generation}::bigint, found.reason
    from jsonb_to_recordset(${JSON.stringify(rowsOf(findings))}::text::jsonb)
      as found (certificate_ids uuid[], host_ids uuid[], reason text, is_certain boolean)
    join ${certificate} c on c.id = any (found.certificate_ids)
    join ${host} on ${host.id} = any (found.host_ids)
    left join ${map} on ${map.certificateId} = c.id and ${map.hostId} = ${host.id}
    where not coalesce(${map.revoked}, c.revoked)
      and (found.is_certain or ${map.reason} is not null or ${isConfirmed} is not true)
    on conflict (certificate_id, host_id) do update
      set reason = excluded.reason, last_updated = now()
      where known.generation <= excluded.generation and known.reason is distinct from excluded.reason`);
}

interface FoundRow {
  certificate_ids: string[];
  host_ids: string[];
  reason: string | null;
  is_certain: boolean;
}

/** One row for all hosts that have confirmed the whole set. */
function rowsOf(findings: Finding[]): FoundRow[] {
  const rows: FoundRow[] = [];
  for (const { certificateIds, hostId, reason, isCertain } of findings) {
    const alike = rows.find((row) => row.certificate_ids === certificateIds);
    if (alike) alike.host_ids.push(hostId);
    else rows.push({ certificate_ids: certificateIds, host_ids: [hostId], reason, is_certain: isCertain });
  }
  return rows;
}

async function recordRevoked(tx: Transaction, generation: number, judged: Judgement[]): Promise<void> {
  const rows = judged.map(({ hostId, failure }) => ({ host_id: hostId, failure }));
  await tx.execute(sql`
    update ${map} set reason = told.failure, last_updated = now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as told (host_id uuid, failure text)
    join ${host} on ${host.id} = told.host_id
    where ${map.hostId} = told.host_id and ${map.revoked} and ${map.generation} <= ${generation}::bigint
      and (${map.reason} is not null or not ${isConfirmed}) and ${map.reason} is distinct from told.failure`);
}

async function tellFailure(tx: Transaction, { hostId, hostName, findings, failure }: Judgement): Promise<void> {
  const reason = failure ?? findings.find(({ status }) => status === 'FAILED')?.reason;
  if (!reason) return;
  await recordEvent(tx, {
    type: 'DIRECT.DOWNLOAD.CERTIFICATE.FAILURE',
    level: 'ERROR',
    description: `Host ${hostName} has not the certificates that it should: ${reason}`,
    resourceType: 'Host',
    resourceId: hostId,
  });
}
