import { eq, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, domain, resourceLimit } from '../schema/index.js';
import type { LimitedOwner, Usage } from './read-usage.js';

interface Row extends Record<string, unknown> {
  kind: LimitedOwner['kind'];
  ownerId: string;
  limits: Partial<Usage> | null;
}

/**
 * An account and the domains that it is in, with the limits that were set for them. None for one of a root admin, and not
 * the root domain.
 */
export async function findLimitedOwners(db: Pick<Database, 'execute'>, accountId: string): Promise<LimitedOwner[]> {
  const rows = await db.execute<Row>(sql`
    with own as (
      select ${account.id}, ${domain.path} from ${account} join ${domain} on ${domain.id} = ${account.domainId}
      where ${account.id} = ${accountId} and ${account.type} <> 'Admin'
    )
    select 'account' as kind, own.id as "ownerId",
      (select json_object_agg(${resourceLimit.type}, ${resourceLimit.max}) from ${resourceLimit}
        where ${resourceLimit.accountId} = own.id) as limits
    from own
    union all
    select 'domain', above.id,
      (select json_object_agg(${resourceLimit.type}, ${resourceLimit.max}) from ${resourceLimit}
        where ${resourceLimit.domainId} = above.id)
    from own join ${domain} above on starts_with(own.path, above.path) and above.parent_id is not null`);
  return [...rows].map(({ kind, ownerId, limits }) => ({ kind, ownerId, limits: limits ?? {} }));
}

/** The limits that were set for a domain. */
export async function findDomainLimits(db: Pick<Database, 'select'>, domainId: string): Promise<LimitedOwner> {
  const rows = await db.select().from(resourceLimit).where(eq(resourceLimit.domainId, domainId));
  return { kind: 'domain', ownerId: domainId, limits: Object.fromEntries(rows.map(({ type, max }) => [type, max])) };
}
