import { eq } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { vmInstance } from './schema/index.js';

export type VirtualMachineRow = typeof vmInstance.$inferSelect;

/** Whatever works on a VM locks its row first, and so waits, or is seen. */
export async function lockVirtualMachine(tx: Pick<Database, 'select'>, id: string): Promise<VirtualMachineRow> {
  const [row] = await tx.select().from(vmInstance).where(eq(vmInstance.id, id)).for('update');
  if (!row) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `There is no VM ${id} any more`);
  return row;
}
