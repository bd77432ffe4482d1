import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { eq, like, or } from 'drizzle-orm';
import type { Database } from '../../db/client.js';
import { event, host, reconciliationFinding } from '../../db/schema/index.js';
import type { Installation } from '../../embedded/installation.js';
import { waitFor } from './wait-for.js';

const RECONCILED_MS = 90_000;
/** Older than what reconciliation leaves alone because something may still be going on with it. */
const AGE_MS = 2 * 3_600_000;

/**
 * Has every host and pool compared with the database, as when host workers start and every file is old.
 *
 * @returns one line for each thing that was found, then or earlier
 */
export async function reconcile({ hosts }: Installation, db: Database): Promise<string[]> {
  const then = new Date(Date.now() - AGE_MS);
  for (const poolPath of new Set(hosts.map((one) => one.poolPath))) {
    for (const name of await readdir(poolPath)) await utimes(join(poolPath, name), then, then);
  }
  const bootIds = new Map((await db.select().from(host)).map(({ id, bootId }) => [id, bootId]));
  await Promise.all(hosts.map(({ worker }) => worker.restart()));
  const isDone = async (): Promise<boolean> =>
    (await db.select().from(host)).every(
      ({ id, status, bootId, reconciledBootId }) =>
        status === 'Up' && bootId !== bootIds.get(id) && reconciledBootId === bootId,
    );
  await waitFor('every host is compared with the database', isDone, RECONCILED_MS);
  const findings = await db.select().from(reconciliationFinding);
  const isFound = or(like(event.type, 'STORAGE.ORPHAN%'), eq(event.type, 'STORAGE.LOST'));
  const events = await db.select().from(event).where(isFound);
  return [
    ...findings.map(({ kind, name }) => `${kind} ${name}`),
    ...events.map(({ type, description }) => `${type}: ${description}`),
  ];
}
