import { and, eq, exists, type SQL, sql, type SQLWrapper } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import { host } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';

/**
 * Whether a host was revoked while it was at what it now says that it has done. Nobody knows who says that: what runs on
 * a shared pool, and what is in a template there, must not be taken from him.
 */
export const isRevoked = (db: Pick<Database, 'select'>, hostId: string | SQLWrapper): SQL<boolean> =>
  exists(
    db
      .select({ one: sql`1` })
      .from(host)
      .where(and(sql`${host.id} = ${hostId}`, eq(host.status, 'Revoked'))),
  ) as SQL<boolean>;

export const ignored = (hostName: string): SlipwayError =>
  new SlipwayError('SLIPWAY_HOST_REVOKED', `Host ${hostName} was revoked: what it says is ignored`);
