import { inArray, sql } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import type { SettingValues } from '../../../shared/settings.js';
import type { Transaction } from '../dependencies.js';
import type { HostRefusal, RankedPlace } from '../planner/rank-hosts.js';
import type { Taking } from './capacity.js';

/**
 * No host fits; `refused` has the hosts that were not excluded, each with its reason. One of them is only just away
 * and may be waited for while `returnsWithinMs` is above zero.
 */
export interface NoHost {
  outcome: 'no host';
  refused: HostRefusal[];
  returnsWithinMs: number;
}

/** So many of the best places are looked at for one that nobody else is claiming at the moment. */
const MOST_UNWAITED = 10;

/**
 * Claims the first of the ranked places that still has the capacity; the others on the way join `refused`. One that
 * another planner is claiming at this moment is passed over while there are others as good: a thousand deployments at
 * once would wait for each other on one host, and end up there. Of a cluster that is full no other host is tried: each
 * would be another turn of those who claim there.
 *
 * @param take also a place that is being taken, while it may not wait, is full
 */
export async function claimFirst(
  { places, refused }: { places: RankedPlace[]; refused: HostRefusal[] },
  take: (place: RankedPlace, mayWait: boolean) => Promise<Taking>,
): Promise<RankedPlace | undefined> {
  const fullClusters = new Set<string>();
  const isTaken = async (place: RankedPlace, mayWait: boolean): Promise<boolean> => {
    if (fullClusters.has(place.clusterId)) return false;
    const taking = await take(place, mayWait);
    if (taking === 'cluster full') fullClusters.add(place.clusterId);
    return taking === 'taken';
  };
  // A host without the template is not as good: it would be fetched once more.
  const asGood = places.filter(({ hasTemplate }) => hasTemplate === places[0]?.hasTemplate);
  for (const place of asGood.slice(0, MOST_UNWAITED)) if (await isTaken(place, false)) return place;
  for (const place of places) {
    if (await isTaken(place, true)) return place;
    const { hostId, hostName, clusterId } = place;
    const what = fullClusters.has(clusterId) ? 'is in a cluster that was filled' : 'was filled';
    refused.push({ hostId, hostName, reason: `${what} by another deployment` });
  }
  return undefined;
}

/**
 * What is left of the grace of the host that went away last, of those that would take the VM. All hosts of a zone are
 * Down for seconds when Temporal restarts, and that must delay a deployment and not fail it.
 */
export async function returnsWithinMs(
  tx: Transaction,
  refused: HostRefusal[],
  settings: SettingValues,
): Promise<number> {
  const away = refused.filter(({ isAway }) => isAway).map(({ hostId }) => hostId);
  if (away.length === 0) return 0;
  const [row] = await tx
    .select({
      awaySeconds: sql<number>`extract(epoch from now() - max(coalesce(${host.lastPinged}, ${host.created})))::float8`,
    })
    .from(host)
    .where(inArray(host.id, away));
  return row?.awaySeconds == null ? 0 : graceLeftMs(settings, row.awaySeconds);
}

/** Of the setting `host.reconnect.grace`, after so many seconds. */
export function graceLeftMs(settings: SettingValues, sinceSeconds: number): number {
  return Math.max(0, Math.ceil((Number(settings['host.reconnect.grace']) - sinceSeconds) * 1000));
}
