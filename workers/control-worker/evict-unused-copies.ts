import { eq, sql } from 'drizzle-orm';
import { beginEviction, startEviction } from '../../activities/control/template/evict.js';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { listDueCopies, noteUse } from '../../activities/control/template/unused-copies.js';
import { templateSpoolRef } from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';

/** Copies whose workflows are started in one round: those on pools without a host stay for as long as it is away. */
const ROUND = 100;

/**
 * Evicts copies that nothing uses and that are due to go. A copy that is Evicting stays so until its file is gone: its
 * row is what makes sure of that, and whatever ended the workflow, it is started again here. Several control workers may
 * do this at once: only one of them takes a copy out of use, and starting its workflow twice changes nothing.
 */
export async function evictUnusedCopies(dependencies: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const { db } = dependencies;
  await noteUse(db);
  for (const spoolRefId of await listDueCopies(db, await readSettings(db))) {
    await beginEviction(dependencies, spoolRefId);
  }
  const evicting = await db
    .select()
    .from(templateSpoolRef)
    .where(eq(templateSpoolRef.state, 'Evicting'))
    .orderBy(sql`random()`)
    .limit(ROUND);
  for (const copy of evicting) await startEviction(dependencies, copy);
}
