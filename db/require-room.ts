import { type SQL, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { RESOURCE_TYPES, type ResourceType, UNLIMITED } from '../shared/resource-types.js';
import type { GlobalSettingValues } from '../shared/settings.js';
import type { Transaction } from './client.js';
import { type ExceededLimit, exceededLimit, limitOf } from './exceeded-limit.js';
import { accountGone, holdAccount } from './hold-account.js';
import type { Caller } from './reads/find-caller.js';
import { findLimitedOwners } from './reads/find-limited-owners.js';
import { type LimitedOwner, readAccountUsage, readDomainUsage } from './reads/read-usage.js';
import { account, domain, resourceLimit } from './schema/index.js';

/** What a VM takes of. */
export const OF_A_VM: readonly ResourceType[] = ['user_vm', 'cpu', 'memory', 'primary_storage'];

/**
 * The id of an account whose row, and those of the limited domains above it, are locked by the statement that this stands in:
 * whoever else adds something for the same owner waits there until the transaction ends. Rows that only refer to them do not.
 * NULL when the account was deleted.
 *
 * @param settings by them every domain may be limited
 */
export const lockedOwner = (accountId: string, settings: GlobalSettingValues): SQL<string> => {
  const isEveryDomainLimited = RESOURCE_TYPES.some((type) => limitOf(WITHOUT_LIMITS, type, settings) !== UNLIMITED);
  const isLimited = isEveryDomainLimited
    ? sql`above.parent_id is not null`
    : sql`exists (select from ${resourceLimit} where ${resourceLimit.domainId} = above.id)`;
  return sql`(
  with above as (
    select above.id from ${account} join ${domain} own on own.id = ${account.domainId}
      join ${domain} above on starts_with(own.path, above.path)
    where ${account.id} = ${accountId} and ${isLimited}
    order by above.path
    for no key update of above
  )
  select ${account.id} from ${account}
  where ${account.id} = ${accountId} and ${account.removed} is null and (select count(*) from above) >= 0
  for no key update of ${account}
)`;
};

const WITHOUT_LIMITS = { kind: 'domain', limits: {} } as const;

/**
 * Looks whether an account, and the domains that it is in, are within their limits now that a resource was added. Call it in
 * the transaction that has added it, last. It counts in a statement of its own: one sees nothing of what is committed while
 * it waits. What nobody limits is not counted. As in CloudStack, root admins have no limits.
 *
 * @param owner without a role where that is not known; `isLocked` when a statement before had `lockedOwner` in it, or for a
 *   root admin `heldAccount`
 * @throws SlipwayError SLIPWAY_LIMIT_EXCEEDED; SLIPWAY_PARAMETER_INVALID when the account was deleted
 */
export async function requireRoom(
  tx: Transaction,
  owner: Pick<Caller, 'accountId'> & Partial<Pick<Caller, 'role'>> & { isLocked?: boolean },
  types: readonly ResourceType[],
  settings: GlobalSettingValues,
): Promise<void> {
  if (owner.role === 'Admin') {
    if (!owner.isLocked) await holdAccount(tx, owner.accountId);
    return;
  }
  if (!owner.isLocked) await lockOwner(tx, owner.accountId, settings);
  const owners = await findLimitedOwners(tx, owner.accountId);
  const isLimited = (one: LimitedOwner, type: ResourceType) => limitOf(one, type, settings) !== UNLIMITED;
  const idsOf = (kind: LimitedOwner['kind']): string[] =>
    owners.filter((one) => one.kind === kind && types.some((type) => isLimited(one, type))).map((one) => one.ownerId);
  const limited = types.filter((type) => owners.some((one) => isLimited(one, type)));
  const usage = [
    ...(await readAccountUsage(tx, idsOf('account'), limited)),
    ...(await readDomainUsage(tx, idsOf('domain'), limited)),
  ];
  const exceeded = exceededLimit(usage, types, settings);
  if (exceeded) throw limitExceeded(exceeded);
}

async function lockOwner(tx: Transaction, accountId: string, settings: GlobalSettingValues): Promise<void> {
  const [row] = await tx.execute<{ id: string | null }>(sql`select ${lockedOwner(accountId, settings)} as id`);
  if (!row?.id) throw accountGone(accountId);
}

/** As CloudStack's text begins. */
function limitExceeded({ kind, ownerId, type, max, used }: ExceededLimit): SlipwayError {
  const whose = kind === 'account' ? `Account Id = '${ownerId}'` : `Domain Id = '${ownerId}'`;
  return new SlipwayError(
    'SLIPWAY_LIMIT_EXCEEDED',
    `Maximum amount of resources of Type = '${type}' for ${whose} is exceeded: the limit is ${max}, and it would be ` +
      `${Math.round(used * 100) / 100}`,
  );
}
