import { and, eq, exists, gt, inArray, isNotNull, isNull, lt, not, notExists, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import {
  capacityClaim,
  cleanupDebt,
  stageWaiter,
  storagePool,
  templateSpoolRef,
  templateStoreRef,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../../db/schema/index.js';
import type { GlobalSettingValues } from '../../../shared/settings.js';

type Reader = Pick<Database, 'select'>;

/** A disk may stand on it. */
export const isWhole = inArray(templateSpoolRef.state, ['Ready', 'Superseded']);

/** A host that has found a disk on a copy is not asked again before this, in SQL. */
const REFUSAL_HOLDS = sql`interval '1 hour'`;

const isNotRefused = or(
  isNull(templateSpoolRef.evictionRefused),
  lt(templateSpoolRef.evictionRefused, sql`now() - ${REFUSAL_HOLDS}`),
);

/**
 * Whether something needs a copy: a volume that refers to it, also of a VM that is stopped or can be recovered; a VM that
 * has it in its CD-ROM drive; a deployment that waits for it, or was told that it is there; a try of a VM of the template
 * on the pool that is under way, or that a host has yet to undo, whose disk may be there although no volume says so any
 * more.
 */
export function isUsed(db: Reader): SQL {
  const one = { one: sql`1` };
  const standing = db.select(one).from(volumes).where(eq(volumes.templateSpoolRefId, templateSpoolRef.id));
  const inserted = db.select(one).from(vmInstance).where(eq(vmInstance.isoSpoolRefId, templateSpoolRef.id));
  const waiting = db.select(one).from(stageWaiter).where(eq(stageWaiter.spoolRefId, templateSpoolRef.id));
  return or(exists(standing), exists(inserted), exists(waiting), isTried(db))!;
}

/**
 * Asked once for all copies, and of the few VMs that something goes on with: for each copy by itself it would read all
 * VMs of its pool, every five seconds.
 */
function isTried(db: Reader): SQL {
  // An ISO may be in the drive of a domain that has yet to be ended. No NULL: nothing would be unused beside one.
  const images = sql`unnest(array_remove(array[${vmInstance.templateId}, ${vmInstance.isoId}], null))`;
  const place = { poolId: capacityClaim.poolId, templateId: images };
  const underWay = db
    .select(place)
    .from(vmInstance)
    .innerJoin(capacityClaim, eq(capacityClaim.vmId, vmInstance.id))
    .where(eq(vmInstance.state, 'Starting'));
  const owed = db
    .select(place)
    .from(cleanupDebt)
    .innerJoin(capacityClaim, and(eq(capacityClaim.vmId, cleanupDebt.vmId), eq(capacityClaim.token, cleanupDebt.token)))
    .innerJoin(vmInstance, eq(vmInstance.id, cleanupDebt.vmId));
  return sql`(${templateSpoolRef.poolId}, ${templateSpoolRef.templateId}) in (${underWay} union all ${owed})`;
}

export const isUnused = (db: Reader): SQL => not(isUsed(db));

/** Notes since when each copy is unused. Several may do so at once. */
export async function noteUse(db: Database): Promise<void> {
  await db
    .update(templateSpoolRef)
    .set({ unusedSince: sql`now()` })
    .where(and(isWhole, isNull(templateSpoolRef.unusedSince), isUnused(db)));
  await db
    .update(templateSpoolRef)
    .set({ unusedSince: null })
    .where(and(isNotNull(templateSpoolRef.unusedSince), isUsed(db)));
}

/**
 * Unused copies that are to go: superseded or of an older generation than the template's, of a template that its zone no
 * longer has, or unused for long enough.
 */
export async function listDueCopies(db: Database, settings: GlobalSettingValues): Promise<string[]> {
  const registered = db
    .select({ one: sql`1` })
    .from(templateStoreRef)
    .innerJoin(storagePool, eq(storagePool.dataCenterId, templateStoreRef.dataCenterId))
    .where(
      and(
        eq(storagePool.id, templateSpoolRef.poolId),
        eq(templateStoreRef.templateId, templateSpoolRef.templateId),
        eq(templateStoreRef.state, 'Ready'),
      ),
    );
  const refreshed = db
    .select({ one: sql`1` })
    .from(vmTemplate)
    .where(and(eq(vmTemplate.id, templateSpoolRef.templateId), gt(vmTemplate.generation, templateSpoolRef.generation)));
  const keepSeconds = Number(settings['storage.cleanup.interval']);
  const rows = await db
    .select({ id: templateSpoolRef.id })
    .from(templateSpoolRef)
    .where(
      and(
        isWhole,
        isNotRefused,
        isUnused(db),
        or(
          eq(templateSpoolRef.state, 'Superseded'),
          exists(refreshed),
          settings['template.delete.from.primary.storage'] === 'true' ? notExists(registered) : undefined,
          settings['storage.template.cleanup.enabled'] === 'true'
            ? lt(templateSpoolRef.unusedSince, sql`now() - make_interval(secs => ${keepSeconds})`)
            : undefined,
        ),
      ),
    );
  return rows.map(({ id }) => id);
}

/** Unused copies of a pool, least recently used first: what was used until a moment ago is noted last. */
export const listUnusedCopies = (db: Database, poolId: string): Promise<(typeof templateSpoolRef.$inferSelect)[]> =>
  db
    .select()
    .from(templateSpoolRef)
    .where(and(eq(templateSpoolRef.poolId, poolId), isWhole, isNotRefused, isUnused(db)))
    .orderBy(sql`${templateSpoolRef.unusedSince} asc nulls last`, templateSpoolRef.lastUpdated);
