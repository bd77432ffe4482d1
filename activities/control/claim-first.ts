import { and, inArray, sql } from 'drizzle-orm';
import { host } from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import type { Transaction } from './dependencies.js';
import type { HostRefusal, RankedPlace } from './planner/rank-hosts.js';

/**
 * No host fits; `refused` has the hosts that were not excluded, each with its reason. One of them is only just away
 * and may be waited for while `returnsWithinMs` is above zero.
 */
export interface NoHost {
  outcome: 'no host';
  refused: HostRefusal[];
  returnsWithinMs: number;
}

/**
 * Claims the first of the ranked places that still has the capacity; the others on the way join `refused`.
 *
 * @param take answers false when the place is full by now
 */
export async function claimFirst(
  tx: Transaction,
  { places, refused }: { places: RankedPlace[]; refused: HostRefusal[] },
  take: (savepoint: Transaction, place: RankedPlace) => Promise<boolean>,
): Promise<RankedPlace | undefined> {
  for (const place of places) {
    // In a savepoint: a host that was full in the meantime must not undo the whole claim.
    const isTaken = await tx
      .transaction(async (savepoint) => {
        if (!(await take(savepoint, place))) savepoint.rollback();
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof Error && error.constructor.name === 'TransactionRollbackError') return false;
        throw error;
      });
    if (isTaken) return place;
    refused.push({ hostId: place.hostId, hostName: place.hostName, reason: 'was filled by another deployment' });
  }
  return undefined;
}

/**
 * What is left of the grace of the host that went away last. All hosts of a zone are Down for seconds when Temporal
 * restarts, and that must delay a deployment and not fail it.
 */
export async function returnsWithinMs(tx: Transaction, refused: HostRefusal[]): Promise<number> {
  if (refused.length === 0) return 0;
  const away = sql<number>`extract(epoch from now() - max(coalesce(${host.lastPinged}, ${host.created})))`;
  const [row] = await tx
    .select({ awaySeconds: away })
    .from(host)
    .where(
      and(
        inArray(
          host.id,
          refused.map(({ hostId }) => hostId),
        ),
        inArray(host.status, ['Connecting', 'Down']),
      ),
    );
  return row?.awaySeconds == null ? 0 : graceLeftMs(tx, Number(row.awaySeconds));
}

/** Of the setting `host.reconnect.grace`, after so many seconds. */
export async function graceLeftMs(tx: Transaction, sinceSeconds: number): Promise<number> {
  const graceSeconds = Number((await readSettings(tx))['host.reconnect.grace']);
  return Math.max(0, Math.ceil((graceSeconds - sinceSeconds) * 1000));
}
