import { eq } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import { host } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';

/**
 * The key that secrets for a host are sealed to.
 *
 * @throws SlipwayError SLIPWAY_HOST_REVOKED, SLIPWAY_RESOURCE_STATE when there is no such host
 */
export async function readerKeyOf(db: Pick<Database, 'select'>, hostId: string): Promise<string> {
  const [reader] = await db
    .select({ name: host.name, publicKey: host.publicKey })
    .from(host)
    .where(eq(host.id, hostId));
  if (!reader) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Host ${hostId} is gone`);
  if (reader.publicKey === null) {
    throw new SlipwayError(
      'SLIPWAY_HOST_REVOKED',
      `Host ${reader.name} was revoked: no secret is sealed to it any more`,
    );
  }
  return reader.publicKey;
}
