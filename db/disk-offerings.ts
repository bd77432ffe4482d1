import { and, eq, isNull, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { isUniqueViolation } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { diskOffering, event } from './schema/index.js';

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
  try {
    return await db.transaction(async (tx) => {
      const [row] = await tx
        .insert(diskOffering)
        .values({ ...offering, isCustomized: offering.sizeBytes === null })
        .returning();
      await tx.insert(event).values(audit(caller, row!, { type: 'DISK.OFFERING.CREATE', what: 'was made' }));
      return row!;
    });
  } catch (error) {
    if (!isUniqueViolation(error, 'disk_offering_name_key')) throw error;
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is a disk offering with the name ${offering.name}`);
  }
}

/** Disks that were made of it stay as they are. */
export async function removeDiskOffering(db: Database, caller: Caller, id: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(diskOffering)
      .set({ removed: sql`now()` })
      .where(and(eq(diskOffering.id, id), isNull(diskOffering.removed)))
      .returning();
    if (row) await tx.insert(event).values(audit(caller, row, { type: 'DISK.OFFERING.DELETE', what: 'was deleted' }));
    return row !== undefined;
  });
}

const audit = (caller: Caller, { id, name }: DiskOfferingRow, { type, what }: { type: string; what: string }) => ({
  type,
  level: 'INFO' as const,
  description: `Disk offering ${name} ${what}`,
  accountId: caller.accountId,
  userId: caller.userId,
  resourceType: 'DiskOffering',
  resourceId: id,
});
