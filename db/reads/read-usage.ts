import { type SQL, sql } from 'drizzle-orm';
import type { ResourceType } from '../../shared/resource-types.js';
import type { Database } from '../client.js';
import { account, domain, resourceLimit, serviceOffering, vmInstance, vmTemplate, volumes } from '../schema/index.js';

/** In units of the limits: VMs, templates and ISOs, cores, MiB, GiB. */
export type Usage = Record<ResourceType, number>;

/** What one account or domain uses, and the limits that were set for it. */
export interface OwnerUsage {
  kind: 'account' | 'domain';
  ownerId: string;
  limits: Partial<Usage>;
  used: Usage;
  /** Of the VMs, those that run. */
  running: number;
}

interface Row extends Usage, Record<string, unknown> {
  kind: OwnerUsage['kind'];
  ownerId: string;
  limits: Partial<Usage> | null;
  running: number;
}

/**
 * Counted, not kept: a count that is kept is wrong one day. A VM counts until it is destroyed, its disk until that is gone,
 * or at once when it could not be deployed. While a disk takes the place of another the larger one counts.
 */
const usage = sql`
  join lateral (
    select count(*) as vms, coalesce(sum(${serviceOffering.cpu}), 0) as cpu, coalesce(sum(${serviceOffering.ramMb}), 0) as memory,
      count(*) filter (where ${vmInstance.state} = 'Running') as running
    from ${vmInstance} join ${serviceOffering} on ${serviceOffering.id} = ${vmInstance.serviceOfferingId}
    where ${vmInstance.accountId} = member.account_id
      and ${vmInstance.state} not in ('Destroyed', 'Error', 'Expunging', 'Expunged')
  ) vm on true
  join lateral (
    select count(*) as templates from ${vmTemplate}
    where ${vmTemplate.accountId} = member.account_id and ${vmTemplate.removed} is null
  ) template on true
  join lateral (
    select coalesce(sum(disk.bytes), 0) as bytes from (
      select max(coalesce(${volumes.sizeBytes}, ${volumes.wantedSizeBytes}, ${vmTemplate.sizeBytes}, 0)) as bytes
      from ${volumes} join ${vmInstance} on ${vmInstance.id} = ${volumes.instanceId}
        left join ${vmTemplate} on ${vmTemplate.id} = ${volumes.templateId}
      where ${volumes.accountId} = member.account_id and ${volumes.state} <> 'Expunged'
        and ${vmInstance.state} not in ('Error', 'Expunged')
      group by ${volumes.instanceId}
    ) disk
  ) storage on true`;

/** @param members rows of `kind`, `owner_id` and `account_id`: an owner and each account that counts for it */
async function read(db: Pick<Database, 'execute'>, members: SQL): Promise<OwnerUsage[]> {
  const rows = await db.execute<Row>(sql`
    with member as (${members})
    select member.kind, member.owner_id as "ownerId",
      (select json_object_agg(${resourceLimit.type}, ${resourceLimit.max}) from ${resourceLimit}
        where case member.kind when 'account' then ${resourceLimit.accountId} = member.owner_id
          else ${resourceLimit.domainId} = member.owner_id end) as limits,
      sum(vm.vms)::float8 as user_vm, sum(template.templates)::float8 as template, sum(vm.cpu)::float8 as cpu,
      sum(vm.memory)::float8 as memory, (sum(storage.bytes) / 1073741824.0)::float8 as primary_storage,
      sum(vm.running)::float8 as running
    from member ${usage}
    group by member.kind, member.owner_id`);
  return [...rows].map(({ kind, ownerId, limits, running, ...used }) => ({
    kind,
    ownerId,
    limits: limits ?? {},
    used,
    running,
  }));
}

const list = (ids: string[]): SQL =>
  sql.join(
    ids.map((id) => sql`${id}::uuid`),
    sql`, `,
  );

export const readAccountUsage = (db: Pick<Database, 'execute'>, ids: string[]): Promise<OwnerUsage[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : read(
        db,
        sql`select 'account' as kind, ${account.id} as owner_id, ${account.id} as account_id from ${account}
          where ${account.id} in (${list(ids)})`,
      );

/** Of the accounts of a domain and of those below. */
export const readDomainUsage = (db: Pick<Database, 'execute'>, ids: string[]): Promise<OwnerUsage[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : read(
        db,
        sql`select 'domain' as kind, above.id as owner_id, ${account.id} as account_id
          from ${domain} above join ${domain} below on starts_with(below.path, above.path)
          left join ${account} on ${account.domainId} = below.id
          where above.id in (${list(ids)})`,
      );

/** Of an account that is no root admin's, and of the domains that it is in and that have limits; the root has none. */
export const readUsageAround = (db: Pick<Database, 'execute'>, accountId: string): Promise<OwnerUsage[]> =>
  read(
    db,
    sql`select 'account' as kind, ${account.id} as owner_id, ${account.id} as account_id from ${account}
        where ${account.id} = ${accountId} and ${account.type} <> 'Admin'
      union all
      select 'domain', above.id, counted.id
      from ${account} join ${domain} own on own.id = ${account.domainId}
        join ${domain} above on starts_with(own.path, above.path) and above.parent_id is not null
        join ${domain} below on starts_with(below.path, above.path)
        join ${account} counted on counted.domain_id = below.id
      where ${account.id} = ${accountId} and ${account.type} <> 'Admin'
        and exists (select from ${resourceLimit} where ${resourceLimit.domainId} = above.id)`,
  );
