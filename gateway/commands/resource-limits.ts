import { isRootDomain } from '../../db/reads/find-account.js';
import { findDomainLimits } from '../../db/reads/find-limited-owners.js';
import { findListedDomain } from '../../db/reads/list-domains.js';
import { limitOf } from '../../db/exceeded-limit.js';
import { type OwnerUsage, readAccountUsage, readDomainUsage } from '../../db/reads/read-usage.js';
import { setResourceLimit } from '../../db/resource-limits.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { RESOURCE_TYPES, RESOURCES, type ResourceType, UNLIMITED } from '../../shared/resource-types.js';
import { MOST_OF_A_RESOURCE } from '../../shared/settings.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { integer, long, required, string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { shownAmount } from '../responses/resource-usage.js';
import { ADMINS, type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { requireDomain } from './list-scope.js';
import { ownAccount, requireRank } from './own-account.js';
import { ownDomain } from './own-domain.js';

const NUMBERS = RESOURCE_TYPES.map((type) => `${RESOURCES[type].number} ${type}`).join(', ');

const ownerParameters = {
  account: string('Name of the account; together with domainid.'),
  domainid: uuid('ID of the domain of the account, or of the domain itself.'),
};

const resourceType = integer(`Type of the resource: ${NUMBERS}.`);

const owned = {
  account: field('string', 'Name of the account; absent for a domain.'),
  domainid: field('string', 'ID of the domain.'),
  domain: field('string', 'Name of the domain.'),
  resourcetype: field('string', 'Number of the type of the resource.'),
  resourcetypename: field('string', 'Name of the type of the resource.'),
} as const;

const limitFields = {
  ...owned,
  max: field('long', 'The limit: a number, cores, MiB or GiB; -1 for none.'),
} as const;

const countFields = { ...owned, resourcecount: field('long', 'What there is, in the unit of the limit.') } as const;

interface Owner {
  kind: OwnerUsage['kind'];
  id: string;
  /** No limit counts for root admins and the root domain. */
  isUnlimited: boolean;
  shown: { account?: string; domainid: string; domain: string };
}

type Named = { account?: string | undefined; domainid?: string | undefined };

/** The account or the domain that is named; the caller's account when none is. */
async function ownerOf({ account, domainid }: Named, context: CommandContext): Promise<Owner> {
  const { db, caller } = context;
  if (account === undefined && domainid !== undefined && caller.role !== 'User') {
    const domain = await requireDomain(domainid, context);
    const isUnlimited = await isRootDomain(db, domain.id);
    return { kind: 'domain', id: domain.id, isUnlimited, shown: { domainid: domain.id, domain: domain.name } };
  }
  if (account !== undefined && domainid === undefined) {
    throw invalid('AccountName and domainId must be specified together');
  }
  const found = await ownAccount(account === undefined ? { id: caller.accountId } : { account, domainid }, context);
  const shown = { account: found.account.accountName, domainid: found.account.domainId, domain: found.domainName };
  return { kind: 'account', id: found.account.id, isUnlimited: found.account.type === 'Admin', shown };
}

const usageOf = async ({ db }: CommandContext, { kind, id }: Owner): Promise<OwnerUsage> =>
  (await (kind === 'account' ? readAccountUsage(db, [id]) : readDomainUsage(db, [id])))[0]!;

const shownType = (type: ResourceType) => ({
  resourcetype: String(RESOURCES[type].number),
  resourcetypename: type,
});

function typeOf(number: number | undefined, name?: string): ResourceType | undefined {
  if (number === undefined && name === undefined) return undefined;
  const type = RESOURCE_TYPES.find((one) => (name === undefined ? RESOURCES[one].number === number : one === name));
  if (type) return type;
  throw invalid(`Please specify a valid resource type: ${NUMBERS}`);
}

export const updateResourceLimit = defineCommand({
  name: 'updateResourceLimit',
  description:
    'Sets a limit of an account or of a domain, which counts for all accounts in it and below. Without one the settings ' +
    'max.account.* and max.domain.* count.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: {
    ...ownerParameters,
    resourcetype: required(resourceType),
    max: long('The limit; -1, or none given, for no limit.', { min: UNLIMITED, max: MOST_OF_A_RESOURCE }),
    ...unsupported({ projectid: { type: 'uuid' }, tag: { type: 'string', since: '4.20.0' } }),
  },
  response: {
    objectName: 'resourcelimit',
    fields: { resourcelimit: field('object', 'The limit.', limitFields) },
  },
  async handle({ resourcetype, max = UNLIMITED, ...named }, context) {
    const { db, caller } = context;
    const type = typeOf(resourcetype)!;
    const owner = await ownerOf(named, context);
    await requireMayLimit(owner, context);
    await requireWithinParent(owner, { type, max }, context);
    await setResourceLimit(db, caller, owner, { type, max });
    return { resourcelimit: { ...owner.shown, ...shownType(type), max } };
  },
});

/** Nobody raises a limit that was set for them. */
async function requireMayLimit(owner: Owner, context: CommandContext): Promise<void> {
  const { caller } = context;
  if (owner.isUnlimited) throw invalid('There are no limits of root admins and of the root domain');
  if (caller.role === 'Admin') return;
  if (owner.kind === 'domain') await ownDomain(owner.id, context);
  else if (owner.id === caller.accountId) {
    throw new SlipwayError('SLIPWAY_PERMISSION_DENIED', 'No account may change its own limits');
  }
  requireRank(caller, 'DomainAdmin');
}

/** As CloudStack: what would never be reached is a mistake. No limit is none: that of the parent counts anyway. */
async function requireWithinParent(
  { kind, id, shown }: Owner,
  { type, max }: { type: ResourceType; max: number },
  context: CommandContext,
): Promise<void> {
  const parentId = kind === 'domain' ? (await findListedDomain(context.db, id))?.domain.parentId : undefined;
  if (!parentId || (await isRootDomain(context.db, parentId))) return;
  const parent = await findDomainLimits(context.db, parentId);
  const most = limitOf(parent, type, await readSettings(context.db));
  if (most === UNLIMITED || max <= most) return;
  throw invalid(
    `Domain ${shown.domain} is in a domain with a maximum of ${most} for ${type}; please specify a value less than or equal to ${most}`,
  );
}

export const listResourceLimits = defineCommand({
  name: 'listResourceLimits',
  description: 'Lists the limits of an account or of a domain; of the caller when none is named.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...ownerParameters,
    resourcetype: resourceType,
    resourcetypename: string('Name of the type of the resource; it counts before resourcetype.'),
    ...unsupported({
      id: { type: 'long' },
      projectid: { type: 'uuid' },
      isrecursive: { type: 'boolean' },
      listall: { type: 'boolean', harmless: 'true' },
      tag: { type: 'string', since: '4.20.0' },
    }),
  },
  response: { objectName: 'resourcelimit', fields: limitFields },
  async handle(args, context) {
    const { limit, offset } = pageOf(args);
    const owner = await ownerOf(args, context);
    const wanted = typeOf(args.resourcetype, args.resourcetypename);
    const [usage, settings] = await Promise.all([usageOf(context, owner), readSettings(context.db)]);
    const items = RESOURCE_TYPES.filter((type) => wanted === undefined || type === wanted).map(
      (type): ResponseOf<typeof limitFields> => ({
        ...owner.shown,
        ...shownType(type),
        max: owner.isUnlimited ? UNLIMITED : limitOf(usage, type, settings),
      }),
    );
    return { count: items.length, items: items.slice(offset, offset + limit) };
  },
});

export const updateResourceCount = defineCommand({
  name: 'updateResourceCount',
  description:
    'Answers with what an account or a domain has. Slipway counts it whenever it matters, so that nothing needs to be ' +
    'put right.',
  kind: 'list',
  allowedRoles: ADMINS,
  params: {
    ...ownerParameters,
    domainid: required(ownerParameters.domainid),
    resourcetype: resourceType,
    ...unsupported({ projectid: { type: 'uuid' }, tag: { type: 'string', since: '4.20.0' } }),
  },
  response: { objectName: 'resourcecount', fields: countFields },
  async handle({ resourcetype, ...named }, context) {
    const owner = await ownerOf(named, context);
    const wanted = typeOf(resourcetype);
    const { used } = await usageOf(context, owner);
    const items = RESOURCE_TYPES.filter((type) => wanted === undefined || type === wanted).map(
      (type): ResponseOf<typeof countFields> => ({
        ...owner.shown,
        ...shownType(type),
        resourcecount: shownAmount(used[type]),
      }),
    );
    return { count: items.length, items };
  },
});
