import { and, eq, isNull, sql } from 'drizzle-orm';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { serviceOffering } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

export type ServiceOfferingRow = typeof serviceOffering.$inferSelect;

export type NewServiceOffering = Omit<ServiceOfferingRow, 'id' | 'sortKey' | 'created' | 'removed'>;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name */
export async function createServiceOffering(
  db: Database,
  caller: Caller,
  offering: NewServiceOffering,
): Promise<ServiceOfferingRow> {
  return refuseTaken('service_offering_name_key', `There is a service offering with the name ${offering.name}`, () =>
    db.transaction(async (tx) => {
      const [row] = await tx.insert(serviceOffering).values(offering).returning();
      await note(tx, caller, row!, { type: 'SERVICE.OFFERING.CREATE', what: 'was made' });
      return row!;
    }),
  );
}

/**
 * Changes what is given. Virtual machines that have it are placed by its tags from then on.
 *
 * @returns undefined when there is none
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name
 */
export const changeServiceOffering = (
  db: Database,
  caller: Caller,
  id: string,
  changes: Partial<Pick<ServiceOfferingRow, 'name' | 'displayText' | 'hostTags' | 'storageTags' | 'sortKey'>>,
): Promise<ServiceOfferingRow | undefined> =>
  refuseTaken('service_offering_name_key', `There is a service offering with the name ${changes.name}`, () =>
    db.transaction(async (tx) => {
      const isPresent = and(eq(serviceOffering.id, id), isNull(serviceOffering.removed));
      const [before] = await tx.select().from(serviceOffering).where(isPresent).for('no key update');
      const set = withoutUndefined(changes);
      if (!before || Object.keys(set).length === 0) return before;
      const [row] = await tx.update(serviceOffering).set(set).where(isPresent).returning();
      await note(tx, caller, before, { type: 'SERVICE.OFFERING.EDIT', what: `was changed: ${JSON.stringify(set)}` });
      return row;
    }),
  );

/** Virtual machines that were made with it keep what they have. */
export async function removeServiceOffering(db: Database, caller: Caller, id: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(serviceOffering)
      .set({ removed: sql`now()` })
      .where(and(eq(serviceOffering.id, id), isNull(serviceOffering.removed)))
      .returning();
    if (row) await note(tx, caller, row, { type: 'SERVICE.OFFERING.DELETE', what: 'was deleted' });
    return row !== undefined;
  });
}

const note = (
  tx: Transaction,
  caller: Caller,
  { id, name }: ServiceOfferingRow,
  { type, what }: { type: string; what: string },
) =>
  audit(tx, caller, {
    type,
    description: `Service offering ${name} ${what}`,
    resourceType: 'ServiceOffering',
    resourceId: id,
  });
