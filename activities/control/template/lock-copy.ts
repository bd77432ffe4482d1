import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import { columnsOf } from '../../../db/columns-of.js';
import { isOpen } from '../../../db/pool-sql.js';
import { storagePool, templateSpoolRef, vmTemplate } from '../../../db/schema/index.js';
import { readSettingsOf } from '../../../db/scoped-settings.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { StageRequest } from '../../../shared/templates.js';
import type { Transaction } from '../dependencies.js';
import { freeBytes, type PoolRules, poolRulesOf } from '../planner/pool-space.js';
import { reserveForCopy } from './template-space.js';

const TEMPLATE_COLUMNS = ['id', 'name', 'generation', 'sizeBytes', 'removed'] as const;
const COPY_COLUMNS = ['id', 'state', 'generation', 'installPath', 'isWanted'] as const;

type Template = Pick<typeof vmTemplate.$inferSelect, (typeof TEMPLATE_COLUMNS)[number]>;
/** `isNew` for who has just begun it. */
type Copy = Pick<typeof templateSpoolRef.$inferSelect, (typeof COPY_COLUMNS)[number]> & { isNew: boolean };

/** The pool has too little space for the copy. Thrown so that nothing of it stays in the database. */
export class NoSpaceError extends Error {
  readonly lackingBytes: number;
  constructor(lackingBytes: number) {
    super(`The pool lacks ${lackingBytes} bytes`);
    this.lackingBytes = lackingBytes;
  }
}

export async function findTemplate(tx: Transaction, templateId: string): Promise<Template> {
  const [template] = await tx
    .select(columnsOf(vmTemplate, ...TEMPLATE_COLUMNS))
    .from(vmTemplate)
    .where(eq(vmTemplate.id, templateId));
  if (!template) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${templateId} is gone`);
  return template;
}

/**
 * The copy that a request gets, locked: of the generation that the request was made for while the pool has it or gets it,
 * and otherwise of the template's present one. A template may have been refreshed since a deployment chose its host: it
 * goes on with what it has waited for, and begins no download of what is out of date.
 *
 * @throws NoSpaceError; SlipwayError SLIPWAY_POOL_MAINTENANCE
 */
export async function lockCopy(
  tx: Transaction,
  { poolId, templateId, generation, use }: StageRequest,
  template: Template,
): Promise<Copy> {
  const isOfPlace = and(eq(templateSpoolRef.poolId, poolId), eq(templateSpoolRef.templateId, templateId));
  if (generation < template.generation) {
    const [older] = await tx
      .select(columnsOf(templateSpoolRef, ...COPY_COLUMNS))
      .from(templateSpoolRef)
      .where(and(isOfPlace, eq(templateSpoolRef.generation, generation), ne(templateSpoolRef.state, 'Evicting')))
      // Several only if some are Superseded: the one that is there, if one is.
      .orderBy(sql`${templateSpoolRef.installPath} is null`)
      .limit(1)
      .for('update');
    if (older) return { ...older, isNew: false };
  }
  const present = () =>
    tx
      .select(columnsOf(templateSpoolRef, ...COPY_COLUMNS))
      .from(templateSpoolRef)
      .where(
        and(
          isOfPlace,
          eq(templateSpoolRef.generation, template.generation),
          inArray(templateSpoolRef.state, ['Allocated', 'Downloading', 'Ready']),
        ),
      )
      .for('update');
  // Of a thousand who want it one begins it.
  const [there] = await present();
  if (there) return { ...there, isNew: false };
  const isNew = await beginCopy(tx, { poolId, templateId, use }, template);
  const [copy] = await present();
  // Deleted by a stage that failed between the statements, or evicted: the retry of this activity begins anew.
  if (!copy) throw new Error(`The copy of template ${templateId} on pool ${poolId} has just been given up`);
  return { ...copy, isNew };
}

/** @returns false when somebody else has begun it a moment ago */
async function beginCopy(
  tx: Transaction,
  { poolId, templateId, use }: Pick<StageRequest, 'poolId' | 'templateId' | 'use'>,
  template: Template,
): Promise<boolean> {
  const [begun] = await tx
    .insert(templateSpoolRef)
    .values({ poolId, templateId, generation: template.generation, isWanted: use.type !== 'prestage' })
    .onConflictDoNothing()
    .returning({ id: templateSpoolRef.id });
  if (!begun) return false;
  if (!(await isOpen(tx, poolId))) {
    throw new SlipwayError(
      'SLIPWAY_POOL_MAINTENANCE',
      `The pool is in maintenance, and takes no template ${template.name}`,
    );
  }
  const expected = await expectedSpace(tx, poolId, template);
  if (await reserveForCopy(tx, { id: begun.id, poolId }, expected)) return true;
  throw new NoSpaceError(await lackingBytes(tx, poolId, expected));
}

/**
 * Locks the copies of a template on the pool of one that is about to be Ready, and supersedes those of older generations:
 * disks stand on them, and no new one will.
 *
 * @returns the state that it gets: a newer one may have been faster
 */
export async function supersedeOlder(tx: Transaction, spoolRefId: string): Promise<'Ready' | 'Superseded'> {
  const [self] = await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, spoolRefId));
  if (!self) return 'Ready';
  const rows = await tx
    .select()
    .from(templateSpoolRef)
    .where(and(eq(templateSpoolRef.poolId, self.poolId), eq(templateSpoolRef.templateId, self.templateId)))
    .orderBy(templateSpoolRef.id)
    .for('update');
  const ready = rows.filter(({ id, state }) => state === 'Ready' && id !== spoolRefId);
  if (ready.some(({ generation }) => generation >= self.generation)) return 'Superseded';
  const older = ready.filter(({ generation }) => generation < self.generation).map(({ id }) => id);
  if (older.length > 0) {
    await tx.update(templateSpoolRef).set({ state: 'Superseded' }).where(inArray(templateSpoolRef.id, older));
  }
  return 'Ready';
}

async function expectedSpace(tx: Transaction, poolId: string, { sizeBytes }: Template) {
  const settings = await readSettingsOf(tx, { poolId });
  return {
    // A source that does not tell its size: what the file takes is counted once it is there.
    expectedBytes: sizeBytes ?? 0,
    rules: poolRulesOf(settings),
  };
}

async function lackingBytes(
  tx: Transaction,
  poolId: string,
  { expectedBytes, rules }: { expectedBytes: number; rules: PoolRules },
): Promise<number> {
  const [pool] = await tx.select().from(storagePool).where(eq(storagePool.id, poolId));
  return expectedBytes - (pool ? freeBytes(pool, rules) : 0);
}
