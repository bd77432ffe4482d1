import { type SQL, sql } from 'drizzle-orm';
import { RESOURCE_TYPES, type ResourceType } from '../../shared/resource-types.js';
import type { Database } from '../client.js';
import { account, domain, resourceLimit, serviceOffering, vmInstance, vmTemplate, volumes } from '../schema/index.js';

/** In units of the limits: VMs, templates and ISOs, cores, MiB, GiB. */
export type Usage = Record<ResourceType, number>;

/** An account or a domain, and the limits that were set for it. */
export interface LimitedOwner {
  kind: 'account' | 'domain';
  ownerId: string;
  limits: Partial<Usage>;
}

/** What one account or domain uses. */
export interface OwnerUsage extends LimitedOwner {
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

const NOTHING = {
  vm: sql`(select 0 as vms, 0 as cpu, 0 as memory, 0 as running)`,
  template: sql`(select 0 as templates)`,
  storage: sql`(select 0 as bytes)`,
};

/**
 * Counted, not kept: a count that is kept is wrong one day. Each is read from an index alone, which has to have every
 * column and the condition as it stands here. A VM counts until it is destroyed.
 */
const ofVms = sql`(
  select coalesce(sum(alike.vms), 0) as vms, coalesce(sum(alike.vms * ${serviceOffering.cpu}), 0) as cpu,
    coalesce(sum(alike.vms * ${serviceOffering.ramMb}), 0) as memory, coalesce(sum(alike.running), 0) as running
  from (
    select ${vmInstance.serviceOfferingId} as offering_id, count(*) as vms,
      count(*) filter (where ${vmInstance.state} = 'Running') as running
    from ${vmInstance}
    where ${vmInstance.accountId} = member.account_id and ${vmInstance.state} <> 'Expunged'
      and ${vmInstance.state} not in ('Destroyed', 'Error', 'Expunging')
    group by ${vmInstance.serviceOfferingId}
  ) alike join ${serviceOffering} on ${serviceOffering.id} = alike.offering_id
)`;

const ofTemplates = sql`(
  select count(*) as templates from ${vmTemplate}
  where ${vmTemplate.accountId} = member.account_id and ${vmTemplate.removed} is null
)`;

/** A disk counts until it is gone, or at once when its VM could not be deployed. While one takes the place of another the larger one counts. */
const ofDisks = sql`(
  select coalesce(sum(disk.bytes), 0) as bytes from (
    select max(coalesce(${volumes.sizeBytes}, ${volumes.wantedSizeBytes}, ${vmTemplate.sizeBytes}, 0)) as bytes
    from ${volumes}
      join ${vmInstance} on ${vmInstance.id} = ${volumes.instanceId} and ${vmInstance.accountId} = member.account_id
        and ${vmInstance.state} <> 'Expunged' and ${vmInstance.state} <> 'Error'
      left join ${vmTemplate} on ${vmTemplate.id} = ${volumes.templateId}
    where ${volumes.accountId} = member.account_id and ${volumes.state} <> 'Expunged'
    group by ${volumes.instanceId}
  ) disk
)`;

/**
 * @param members rows of `kind`, `owner_id` and `account_id`: an owner and each account that counts for it
 * @param types what is counted; the others are 0
 */
async function read(
  db: Pick<Database, 'execute'>,
  members: SQL,
  types: readonly ResourceType[] = RESOURCE_TYPES,
): Promise<OwnerUsage[]> {
  const isCounted = (...some: ResourceType[]): boolean => some.some((type) => types.includes(type));
  const vm = isCounted('user_vm', 'cpu', 'memory') ? ofVms : NOTHING.vm;
  const template = isCounted('template') ? ofTemplates : NOTHING.template;
  const storage = isCounted('primary_storage') ? ofDisks : NOTHING.storage;
  const rows = await db.execute<Row>(sql`
    with member as (${members})
    select member.kind, member.owner_id as "ownerId",
      (select json_object_agg(${resourceLimit.type}, ${resourceLimit.max}) from ${resourceLimit}
        where case member.kind when 'account' then ${resourceLimit.accountId} = member.owner_id
          else ${resourceLimit.domainId} = member.owner_id end) as limits,
      sum(vm.vms)::float8 as user_vm, sum(template.templates)::float8 as template, sum(vm.cpu)::float8 as cpu,
      sum(vm.memory)::float8 as memory, (sum(storage.bytes) / 1073741824.0)::float8 as primary_storage,
      sum(vm.running)::float8 as running
    from member join lateral ${vm} vm on true join lateral ${template} template on true
      join lateral ${storage} storage on true
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

export const readAccountUsage = async (
  db: Pick<Database, 'execute'>,
  ids: string[],
  types?: readonly ResourceType[],
): Promise<OwnerUsage[]> =>
  ids.length === 0
    ? []
    : read(
        db,
        sql`select 'account' as kind, ${account.id} as owner_id, ${account.id} as account_id from ${account}
          where ${account.id} in (${list(ids)})`,
        types,
      );

/** Of the accounts of a domain and of those below. */
export const readDomainUsage = async (
  db: Pick<Database, 'execute'>,
  ids: string[],
  types?: readonly ResourceType[],
): Promise<OwnerUsage[]> =>
  ids.length === 0
    ? []
    : read(
        db,
        sql`select 'domain' as kind, above.id as owner_id, ${account.id} as account_id
          from ${domain} above join ${domain} below on starts_with(below.path, above.path)
          left join ${account} on ${account.domainId} = below.id
          where above.id in (${list(ids)})`,
        types,
      );
