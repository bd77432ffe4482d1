import type { Digest } from '../../shared/checksum.js';

/** A part of a document that was not used. Without secrets. */
export interface Dropped {
  what: string;
  why: string;
}

/** Mirrors of equal standing. */
export interface Tier {
  /** Lower is better. */
  priority: number;
  /** Country that all of them name (ISO 3166-1 alpha-2, lower case). */
  location?: string;
  urls: string[];
}

/** What a metalink document says about one file. */
export interface MetalinkFile {
  /** For logs only: it is a stranger's text, and never becomes a path. */
  name: string;
  sizeBytes?: number;
  /** Of the whole file; at most one for each algorithm. */
  digests: Digest[];
  /** Best first. */
  tiers: Tier[];
  dropped: Dropped[];
}

export interface Mirror {
  url: string;
  priority: number;
  location?: string;
}

/** Groups by priority; the order of the document holds inside a tier. */
export function toTiers(mirrors: readonly Mirror[]): Tier[] {
  const byPriority = new Map<number, Mirror[]>();
  for (const mirror of mirrors) {
    byPriority.set(mirror.priority, [...(byPriority.get(mirror.priority) ?? []), mirror]);
  }
  return [...byPriority]
    .toSorted(([a], [b]) => a - b)
    .map(([priority, members]) => {
      const location = members[0]?.location;
      const isShared = location !== undefined && members.every((member) => member.location === location);
      return { priority, ...(isShared ? { location } : {}), urls: members.map(({ url }) => url) };
    });
}
