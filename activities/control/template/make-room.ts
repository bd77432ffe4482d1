import { and, eq, sql } from 'drizzle-orm';
import { templateSpoolRef } from '../../../db/schema/index.js';
import { readSettings } from '../../../db/settings.js';
import type { ControlDependencies } from '../dependencies.js';
import { beginEviction, startEviction } from './evict.js';
import { chooseEvictions } from '../planner/choose-evictions.js';
import { listUnusedCopies } from './unused-copies.js';

/** Longest that somebody waits for a copy to go. A host that is away would else hold up whoever could go elsewhere. */
const LONGEST_WAIT_MS = 60_000;

/** What is missing on a pool. */
export interface Lack {
  poolId: string;
  lackingBytes: number;
  /** What the space is for. */
  templateId: string;
}

interface Room {
  /** A copy that is on its way out. */
  spoolRefId: string;
  /** How long it is still worth waiting for. */
  withinMs: number;
}

/**
 * Evicts unused copies from a pool that has too little space, least recently used first, if that is enough.
 *
 * @returns what to wait for; undefined when there will not be enough space
 */
export async function makeRoom(
  dependencies: Pick<ControlDependencies, 'db' | 'client'>,
  lack: Lack,
): Promise<Room | undefined> {
  const { db } = dependencies;
  const { poolId, lackingBytes, templateId } = lack;
  if ((await readSettings(db))['storage.template.cleanup.enabled'] !== 'true') return undefined;
  const leaving = await leavingCopies(dependencies, poolId);
  // Its hosts are in trouble: to take more copies out of use would only lose them.
  if (leaving.some(({ withinMs }) => withinMs <= 0)) return undefined;
  const leavingBytes = leaving.reduce((sum, { reservedBytes }) => sum + reservedBytes, 0);
  const unused = await listUnusedCopies(db, poolId);
  const chosen = chooseEvictions(unused, { templateId, lackingBytes: lackingBytes - leavingBytes });
  for (const copy of chosen) {
    // Somebody may have come to use it: the next call finds out whether the rest is enough.
    if (await beginEviction(dependencies, copy.id)) await startEviction(dependencies, copy);
  }
  const isEnough = chosen.length > 0 || leavingBytes >= lackingBytes;
  const [last] = isEnough ? await leavingCopies(dependencies, poolId) : [];
  return last && { spoolRefId: last.id, withinMs: last.withinMs };
}

/** Copies of a pool that are being evicted, the youngest first. One that is not worth waiting for has no time left. */
async function leavingCopies({ db }: Pick<ControlDependencies, 'db'>, poolId: string) {
  const sinceMs = sql<number>`extract(epoch from now() - ${templateSpoolRef.lastUpdated}) * 1000`.mapWith(Number);
  const rows = await db
    .select({ id: templateSpoolRef.id, reservedBytes: templateSpoolRef.reservedBytes, sinceMs })
    .from(templateSpoolRef)
    .where(and(eq(templateSpoolRef.poolId, poolId), eq(templateSpoolRef.state, 'Evicting')));
  return rows
    .map(({ sinceMs: ageMs, ...copy }) => ({ ...copy, withinMs: Math.ceil(LONGEST_WAIT_MS - ageMs) }))
    .sort((a, b) => b.withinMs - a.withinMs);
}

/**
 * For a download that its host had no space for, although there seemed to be: what it was expected to need is tried to
 * be freed, or whatever there is.
 *
 * @returns whether copies are on their way out
 */
export const makeRoomForStage =
  (dependencies: ControlDependencies) =>
  async ({ spoolRefId, isFirst }: { spoolRefId: string; isFirst: boolean }): Promise<{ isLeaving: boolean }> => {
    const { db } = dependencies;
    const [copy] = await db.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, spoolRefId));
    if (!copy) return { isLeaving: false };
    const { poolId, templateId, reservedBytes } = copy;
    const leaving = await leavingCopies(dependencies, poolId);
    if (!isFirst) return { isLeaving: leaving.some(({ withinMs }) => withinMs > 0) };
    const freeable = [...leaving, ...(await listUnusedCopies(db, poolId))];
    const freeableBytes = freeable.reduce((sum, unused) => sum + unused.reservedBytes, 0);
    const lackingBytes = reservedBytes > 0 ? Math.min(reservedBytes, freeableBytes) : freeableBytes;
    const room = lackingBytes > 0 ? await makeRoom(dependencies, { poolId, templateId, lackingBytes }) : undefined;
    return { isLeaving: room !== undefined };
  };
