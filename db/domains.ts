import { and, eq, isNull, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { domain } from './schema/index.js';

type DomainRow = typeof domain.$inferSelect;

const refuseTakenName = <Result>(name: string, work: () => Promise<Result>): Promise<Result> =>
  refuseTaken('domain_path_key', `Domain with name ${name} already exists in the parent domain`, work);

/**
 * Keeps a domain from being deleted until the transaction ends: something is made in it.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when it is not there or being deleted
 */
export async function holdDomain(tx: Transaction, id: string): Promise<DomainRow> {
  const [row] = await tx
    .select()
    .from(domain)
    .where(and(eq(domain.id, id), isNull(domain.removed)))
    .for('share');
  if (row?.state === 'Active') return row;
  throw new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    row ? `The domain ${row.name} is being deleted` : `Unable to find domain by id ${id}`,
  );
}

/** Changes of the tree are made one at a time: a domain that is made while one above is renamed would keep the old path. */
export async function lockDomainTree(tx: Transaction): Promise<void> {
  await tx
    .select({ id: domain.id })
    .from(domain)
    .where(isNull(domain.parentId))
    .orderBy(domain.id)
    .for('no key update');
}

/**
 * Locks a domain and those below, each before what is in it, as `lockedOwner` does: an update takes them in any order, and
 * a deployment that has one of them and waits for another would be waited for itself.
 */
export async function lockBelow(tx: Transaction, path: string): Promise<void> {
  await tx
    .select({ id: domain.id })
    .from(domain)
    .where(sql`starts_with(${domain.path}, ${path})`)
    .orderBy(domain.path)
    .for('no key update');
}

/**
 * @returns its id
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when its parent is not there, or has one of that name
 */
export const createDomain = (
  db: Database,
  caller: Caller,
  { name, parentId }: { name: string; parentId: string },
): Promise<string> =>
  refuseTakenName(name, () =>
    db.transaction(async (tx) => {
      await lockDomainTree(tx);
      const parent = await holdDomain(tx, parentId);
      const [row] = await tx
        .insert(domain)
        .values({ name, parentId, path: `${parent.path}${name}/` })
        .returning();
      await noteDomain(tx, caller, row!, { type: 'DOMAIN.CREATE', what: 'was made' });
      return row!.id;
    }),
  );

/** The paths of those below change with it. */
export const renameDomain = (db: Database, caller: Caller, id: string, name: string): Promise<void> =>
  refuseTakenName(name, () =>
    db.transaction(async (tx) => {
      await lockDomainTree(tx);
      const row = await holdDomain(tx, id);
      if (row.parentId === null) {
        throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'The root domain keeps its name');
      }
      await lockBelow(tx, row.path);
      const path = `${row.path.slice(0, row.path.length - row.name.length - 1)}${name}/`;
      await tx
        .update(domain)
        .set({ path: sql`${path}::text || substr(${domain.path}, char_length(${row.path}::text) + 1)` })
        .where(sql`starts_with(${domain.path}, ${row.path})`);
      await tx.update(domain).set({ name }).where(eq(domain.id, id));
      await noteDomain(tx, caller, row, { type: 'DOMAIN.UPDATE', what: `is called ${name}` });
    }),
  );

export const noteDomain = (
  tx: Transaction,
  who: Pick<Caller, 'accountId' | 'userId'>,
  row: Pick<DomainRow, 'id' | 'name'>,
  { type, what }: { type: string; what: string },
): Promise<void> =>
  audit(tx, who, { type, description: `Domain ${row.name} ${what}`, resourceType: 'Domain', resourceId: row.id });
