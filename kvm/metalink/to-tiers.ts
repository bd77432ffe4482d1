import type { Mirror, Tier } from './metalink-file.js';

/**
 * Groups mirrors by priority, and among those of one priority by the preferred location that they are in; the order of
 * the document holds inside a tier. Within a priority, the tier of the best location comes first, and that of all
 * locations without preference last.
 *
 * @param mirrorLocations two-letter country codes, best first
 */
export function toTiers(mirrors: readonly Mirror[], mirrorLocations: readonly string[]): Tier[] {
  const locations = mirrorLocations.map((location) => location.toLowerCase());
  const rankOf = ({ location }: Mirror): number => {
    const rank = locations.indexOf(location?.toLowerCase() ?? '');
    return rank === -1 ? locations.length : rank;
  };
  const groups = new Map<string, { priority: number; rank: number; members: Mirror[] }>();
  for (const mirror of mirrors) {
    const { priority } = mirror;
    const rank = rankOf(mirror);
    const group = groups.get(`${priority} ${rank}`) ?? { priority, rank, members: [] };
    group.members.push(mirror);
    groups.set(`${priority} ${rank}`, group);
  }
  return [...groups.values()]
    .toSorted((a, b) => a.priority - b.priority || a.rank - b.rank)
    .map(({ priority, members }) => {
      const location = members[0]?.location;
      const isShared = location !== undefined && members.every((member) => member.location === location);
      return { priority, ...(isShared ? { location } : {}), urls: members.map(({ url }) => url) };
    });
}
