import { and, eq, isNull, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { isUniqueViolation } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { event, serviceOffering } from './schema/index.js';

export type ServiceOfferingRow = typeof serviceOffering.$inferSelect;

export type NewServiceOffering = Omit<ServiceOfferingRow, 'id' | 'created' | 'removed'>;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name */
export async function createServiceOffering(
  db: Database,
  caller: Caller,
  offering: NewServiceOffering,
): Promise<ServiceOfferingRow> {
  try {
    return await db.transaction(async (tx) => {
      const [row] = await tx.insert(serviceOffering).values(offering).returning();
      await tx.insert(event).values(audit(caller, row!, { type: 'SERVICE.OFFERING.CREATE', what: 'was made' }));
      return row!;
    });
  } catch (error) {
    if (!isUniqueViolation(error, 'service_offering_name_key')) throw error;
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is a service offering with the name ${offering.name}`);
  }
}

/** Virtual machines that were made with it keep what they have. */
export async function removeServiceOffering(db: Database, caller: Caller, id: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(serviceOffering)
      .set({ removed: sql`now()` })
      .where(and(eq(serviceOffering.id, id), isNull(serviceOffering.removed)))
      .returning();
    if (row)
      await tx.insert(event).values(audit(caller, row, { type: 'SERVICE.OFFERING.DELETE', what: 'was deleted' }));
    return row !== undefined;
  });
}

const audit = (caller: Caller, { id, name }: ServiceOfferingRow, { type, what }: { type: string; what: string }) => ({
  type,
  level: 'INFO' as const,
  description: `Service offering ${name} ${what}`,
  accountId: caller.accountId,
  userId: caller.userId,
  resourceType: 'ServiceOffering',
  resourceId: id,
});
