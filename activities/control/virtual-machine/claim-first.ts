import { inArray, sql } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import type { SettingValues } from '../../../shared/settings.js';
import type { Transaction } from '../dependencies.js';
import type { HostRefusal, RankedPlace } from '../planner/rank-hosts.js';

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
 * once would wait for each other on one host, and end up there.
 *
 * @param take answers false when the place is full by now, or taken while it may not wait
 */
export async function claimFirst(
  { places, refused }: { places: RankedPlace[]; refused: HostRefusal[] },
  take: (place: RankedPlace, mayWait: boolean) => Promise<boolean>,
): Promise<RankedPlace | undefined> {
  // A host without the template is not as good: it would be fetched once more.
  const asGood = places.filter(({ hasTemplate }) => hasTemplate === places[0]?.hasTemplate);
  for (const place of asGood.slice(0, MOST_UNWAITED)) if (await take(place, false)) return place;
  for (const place of places) {
    if (await take(place, true)) return place;
    refused.push({ hostId: place.hostId, hostName: place.hostName, reason: 'was filled by another deployment' });
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
