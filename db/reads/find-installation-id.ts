import { eq } from 'drizzle-orm';
import type { Database, Transaction } from '../client.js';
import { configuration } from '../schema/index.js';

/** The row of `configuration` that is no setting. */
export const INSTALLATION_ID = 'slipway.installation.id';

/** What domains and pools of this installation are marked with; made with the first start. */
export async function findInstallationId(db: Database | Transaction): Promise<string> {
  const [row] = await db.select().from(configuration).where(eq(configuration.name, INSTALLATION_ID));
  return row!.value;
}
