import { and, eq, isNull, sql } from 'drizzle-orm';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { diskOffering } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

export interface NewDiskOffering {
  name: string;
  displayText: string;
  /** Whoever uses it says the size when null. */
  sizeBytes: number | null;
  storageTags: string[];
}

export type DiskOfferingRow = typeof diskOffering.$inferSelect;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name */
export async function createDiskOffering(
  db: Database,
  caller: Caller,
  offering: NewDiskOffering,
): Promise<DiskOfferingRow> {
  return refuseTaken('disk_offering_name_key', `There is a disk offering with the name ${offering.name}`, () =>
    db.transaction(async (tx) => {
      const [row] = await tx
        .insert(diskOffering)
        .values({ ...offering, isCustomized: offering.sizeBytes === null })
        .returning();
      await note(tx, caller, row!, { type: 'DISK.OFFERING.CREATE', what: 'was made' });
      return row!;
    }),
  );
}

/**
 * Changes what is given. Disks that were made of it are placed by its tags from then on.
 *
 * @returns undefined when there is none
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name
 */
export const changeDiskOffering = (
  db: Database,
  caller: Caller,
  id: string,
  changes: Partial<Pick<DiskOfferingRow, 'name' | 'displayText' | 'storageTags' | 'sortKey'>>,
): Promise<DiskOfferingRow | undefined> =>
  refuseTaken('disk_offering_name_key', `There is a disk offering with the name ${changes.name}`, () =>
    db.transaction(async (tx) => {
      const isPresent = and(eq(diskOffering.id, id), isNull(diskOffering.removed));
      const [before] = await tx.select().from(diskOffering).where(isPresent).for('no key update');
      const set = withoutUndefined(changes);
      if (!before || Object.keys(set).length === 0) return before;
      const [row] = await tx.update(diskOffering).set(set).where(isPresent).returning();
      await note(tx, caller, before, { type: 'DISK.OFFERING.EDIT', what: `was changed: ${JSON.stringify(set)}` });
      return row;
    }),
  );

/** Disks that were made of it stay as they are. */
export async function removeDiskOffering(db: Database, caller: Caller, id: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(diskOffering)
      .set({ removed: sql`now()` })
      .where(and(eq(diskOffering.id, id), isNull(diskOffering.removed)))
      .returning();
    if (row) await note(tx, caller, row, { type: 'DISK.OFFERING.DELETE', what: 'was deleted' });
    return row !== undefined;
  });
}

const note = (
  tx: Transaction,
  caller: Caller,
  { id, name }: DiskOfferingRow,
  { type, what }: { type: string; what: string },
) =>
  audit(tx, caller, {
    type,
    description: `Disk offering ${name} ${what}`,
    resourceType: 'DiskOffering',
    resourceId: id,
  });
