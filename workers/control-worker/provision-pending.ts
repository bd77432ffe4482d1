import { and, eq, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { startProvisioning } from '../../client/provision-certificates.js';
import { isPending } from '../../db/keystore-sql.js';
import {
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
} from '../../db/schema/index.js';

/** Younger ones are seen to by whoever changed what is wanted. */
const SETTLES_WITHIN_SECONDS = 60;

/**
 * Brings changes of certificates to hosts that are Up and have not said anything of them: the gateway died, Temporal was
 * away, the workflow was terminated, or the host came back without a new start of its worker. What FAILED is left to the
 * sync, which tries less often.
 */
export async function provisionPending({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const waiting = await db
    .selectDistinctOn([certificate.zoneId], { id: certificate.id, zoneId: certificate.zoneId })
    .from(map)
    .innerJoin(host, and(eq(host.id, map.hostId), eq(host.status, 'Up')))
    .innerJoin(certificate, eq(certificate.id, map.certificateId))
    .where(and(isPending, sql`${map.lastUpdated} < now() - make_interval(secs => ${SETTLES_WITHIN_SECONDS})`));
  for (const one of waiting) await startProvisioning(client, one, 'USE_EXISTING');
}
