import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { dataCenter } from './schema/index.js';

/**
 * Holds a zone for who puts something into it: whoever deletes the zone waits, and finds it. That the zone was there when
 * the call was read is not enough.
 *
 * @returns whether it is there
 */
export async function holdZone(db: Pick<Database, 'select'>, zoneId: string): Promise<boolean> {
  const isPresent = and(eq(dataCenter.id, zoneId), isNull(dataCenter.removed));
  const [zone] = await db.select({ id: dataCenter.id }).from(dataCenter).where(isPresent).for('key share');
  return zone !== undefined;
}

/** @throws SlipwayError SLIPWAY_RESOURCE_STATE when it was deleted */
export async function requireZone(db: Pick<Database, 'select'>, zoneId: string): Promise<void> {
  if (!(await holdZone(db, zoneId))) throw zoneDeleted();
}

export const zoneDeleted = (): SlipwayError => new SlipwayError('SLIPWAY_RESOURCE_STATE', 'The zone was deleted');
