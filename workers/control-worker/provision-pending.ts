import { and, eq, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { startProvisioning } from '../../client/provision-certificates.js';
import { isPending } from '../../db/keystore-sql.js';
import { directDownloadCertificateHostMap as map, host } from '../../db/schema/index.js';

/** Younger ones are seen to by whoever changed what is wanted. */
const SETTLES_WITHIN_SECONDS = 60;

/**
 * Brings changes of certificates to hosts that are Up and have not said anything of them: the gateway died, Temporal was
 * away, the workflow was terminated, or the host came back without a new start of its worker. What FAILED is left to the
 * sync, which tries less often.
 */
export async function provisionPending({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  // One of each host, by the index: looking through all of the table takes a third of a second in a large fleet.
  const waiting = db
    .select({ id: map.certificateId })
    .from(map)
    .where(
      and(
        eq(map.hostId, host.id),
        isPending,
        sql`${map.lastUpdated} < now() - make_interval(secs => ${SETTLES_WITHIN_SECONDS})`,
      ),
    )
    .limit(1)
    .as('waiting');
  const due = await db
    .selectDistinctOn([host.dataCenterId], { id: waiting.id, zoneId: host.dataCenterId })
    .from(host)
    .crossJoinLateral(waiting)
    .where(eq(host.status, 'Up'));
  for (const one of due) await startProvisioning(client, one, 'USE_EXISTING');
}
