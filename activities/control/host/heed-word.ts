import { and, eq, isNull, lte, or, sql } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import type { HostWord } from '../../../shared/hosts.js';
import type { Transaction } from '../dependencies.js';

/** A clock of Temporal's that was ahead by more than this was wrong, and must not keep a host from a word for years. */
const MOST_AHEAD_MS = 60_000;

/**
 * Locks the host. A try of an activity that timed out may still run, and end after its successor and whatever came then:
 * it would show a host as Up that has been Down since.
 *
 * @returns whether no later word of the host has counted before
 */
export async function heedWord(tx: Transaction, { hostId, sentMs }: HostWord): Promise<boolean> {
  if (sentMs === undefined) return true;
  const { lastWordMs } = host;
  const isWrong = sql`${lastWordMs} > extract(epoch from now()) * 1000 + ${MOST_AHEAD_MS}`;
  const [heeded] = await tx
    .update(host)
    .set({ lastWordMs: sentMs })
    .where(and(eq(host.id, hostId), or(isNull(lastWordMs), lte(lastWordMs, sentMs), isWrong)))
    .returning();
  return heeded !== undefined;
}
