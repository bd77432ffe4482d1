import { and, count, eq, isNull, max, ne, or, type SQL, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Transaction } from './client.js';
import type { Caller } from './reads/find-caller.js';
import { isAnyOf, ownedBy } from './reads/list-query.js';
import { account, networks, resourceTags, user, vmInstance, vmTemplate, volumes } from './schema/index.js';

/** CloudStack's names of what may have tags. */
export const TAGGED_TYPES = ['UserVm', 'Template', 'ISO', 'Volume', 'Network', 'Account', 'User'] as const;
export type TaggedType = (typeof TAGGED_TYPES)[number];

export interface Tag {
  key: string;
  value: string;
}

/** Of one thing: lists show all of them with it. */
export const MOST_TAGS = 50;

const COLUMNS = {
  UserVm: 'instanceId',
  Template: 'templateId',
  ISO: 'templateId',
  Volume: 'volumeId',
  Network: 'networkId',
  Account: 'taggedAccountId',
  User: 'userId',
} as const satisfies Record<TaggedType, keyof typeof resourceTags.$inferSelect>;

/** The column that has the id of a resource of the type. */
export const tagColumn = (type: TaggedType) => resourceTags[COLUMNS[type]];

interface Resources {
  type: TaggedType;
  ids: string[];
}

/**
 * Tags of the same key are refused, as in CloudStack: whoever wants another value deletes the tag first.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_IN_USE when one of the resources has a tag of that key; SLIPWAY_LIMIT_EXCEEDED;
 *   SLIPWAY_PARAMETER_INVALID when one is not there for the caller
 */
export async function addTags(
  tx: Transaction,
  caller: Caller,
  { type, ids }: Resources,
  { tags, customer }: { tags: readonly Tag[]; customer?: string },
): Promise<void> {
  const owners = await ownersOf(tx, caller, { type, ids });
  const rows = owners.flatMap(({ id, accountId }) =>
    tags.map((tag) => ({ ...tag, customer, accountId, [COLUMNS[type]]: id })),
  );
  const added = await tx.insert(resourceTags).values(rows).onConflictDoNothing().returning({ key: resourceTags.key });
  if (added.length < rows.length) {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_IN_USE',
      `A tag of a key is already on a ${type}: ${tags.map(({ key }) => key).join(', ')}`,
    );
  }
  const counts = tx
    .select({ count: count().as('count') })
    .from(resourceTags)
    .where(isAnyOf(tagColumn(type), ids))
    .groupBy(tagColumn(type))
    .as('counts');
  const [most] = await tx.select({ count: max(counts.count) }).from(counts);
  if (Number(most?.count) > MOST_TAGS) {
    throw new SlipwayError('SLIPWAY_LIMIT_EXCEEDED', `A ${type} may have ${MOST_TAGS} tags`);
  }
  await note(tx, caller, owners, { type, event: 'CREATE_TAGS', what: `was given the tags ${keysOf(tags)}` });
}

/**
 * @param tags those of a key, with its value or any; all when there are none
 * @returns how many were removed
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when one of the resources is not there for the caller
 */
export async function removeTags(
  tx: Transaction,
  caller: Caller,
  { type, ids }: Resources,
  tags: readonly { key: string; value?: string }[],
): Promise<number> {
  const owners = await ownersOf(tx, caller, { type, ids });
  const isMeant = tags.map(({ key, value }) =>
    and(eq(resourceTags.key, key), value === undefined ? undefined : eq(resourceTags.value, value)),
  );
  const removed = await tx
    .delete(resourceTags)
    .where(and(isAnyOf(tagColumn(type), ids), or(...isMeant)))
    .returning({ key: resourceTags.key });
  if (removed.length > 0) {
    await note(tx, caller, owners, { type, event: 'DELETE_TAGS', what: `lost the tags ${keysOf(removed)}` });
  }
  return removed.length;
}

/** Gives a new VM the tags of what it is made from, whoever wrote them. */
export async function copyTemplateTags(
  tx: Transaction,
  { templateId, vmId, accountId }: { templateId: string; vmId: string; accountId: string },
): Promise<void> {
  const { key, value, customer } = resourceTags;
  const tags = await tx
    .select({ key, value, customer })
    .from(resourceTags)
    .where(eq(resourceTags.templateId, templateId));
  if (tags.length === 0) return;
  await tx.insert(resourceTags).values(tags.map((tag) => ({ ...tag, accountId, instanceId: vmId })));
}

const keysOf = (tags: readonly { key: string }[]): string => [...new Set(tags.map(({ key }) => key))].join(', ');

interface Owned {
  id: string;
  /** Null for what is for everybody. */
  accountId: string | null;
}

async function ownersOf(tx: Transaction, caller: Caller, { type, ids }: Resources): Promise<Owned[]> {
  const found = await presentOf(tx, caller, { type, ids });
  const missing = ids.find((id) => !found.some((one) => one.id === id));
  if (missing === undefined) return found;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Unable to find ${type} by id ${missing}`);
}

/** Held, so that none is gone before its tags are there. */
async function presentOf(tx: Transaction, caller: Caller, { type, ids }: Resources): Promise<Owned[]> {
  switch (type) {
    case 'UserVm':
      return shownRows(tx, caller, vmInstance, and(isAnyOf(vmInstance.id, ids), ne(vmInstance.state, 'Expunged')));
    case 'Volume':
      return shownRows(tx, caller, volumes, and(isAnyOf(volumes.id, ids), isNull(volumes.removed)));
    case 'Template':
    case 'ISO': {
      const isOfType = type === 'ISO' ? eq(vmTemplate.format, 'ISO') : ne(vmTemplate.format, 'ISO');
      return shownRows(tx, caller, vmTemplate, and(isAnyOf(vmTemplate.id, ids), isNull(vmTemplate.removed), isOfType));
    }
    case 'Network':
      return heldRows(tx, caller, networks, and(isAnyOf(networks.id, ids), isNull(networks.removed)));
    case 'Account':
      return heldAccounts(tx, caller, ids);
    case 'User':
      return heldRows(tx, caller, user, and(isAnyOf(user.id, ids), isNull(user.removed)));
  }
}

type Ownable = typeof networks | typeof user | typeof vmInstance | typeof volumes | typeof vmTemplate;

async function heldRows(tx: Transaction, caller: Caller, table: Ownable, where: SQL | undefined): Promise<Owned[]> {
  return (
    tx
      .select({ id: table.id, accountId: table.accountId })
      .from(table)
      .where(and(where, ownedBy(caller, table.accountId)))
      // In one order: two calls for the same things must not wait for each other.
      .orderBy(table.id)
      .for('no key update')
  );
}

/** Touched too, so that who follows changes is told. */
async function shownRows(
  tx: Transaction,
  caller: Caller,
  table: typeof vmInstance | typeof volumes | typeof vmTemplate,
  where: SQL | undefined,
): Promise<Owned[]> {
  const rows = await heldRows(tx, caller, table, where);
  const touched = rows.map(({ id }) => id);
  await tx
    .update(table)
    .set({ accountId: sql`${table.accountId}` })
    .where(isAnyOf(table.id, touched));
  return rows;
}

function heldAccounts(tx: Transaction, caller: Caller, ids: string[]): Promise<Owned[]> {
  return tx
    .select({ id: account.id, accountId: account.id })
    .from(account)
    .where(and(isAnyOf(account.id, ids), isNull(account.removed), ownedBy(caller, account.id)))
    .orderBy(account.id)
    .for('no key update');
}

async function note(
  tx: Transaction,
  caller: Caller,
  owners: readonly Owned[],
  { type, event, what }: { type: TaggedType; event: string; what: string },
): Promise<void> {
  for (const { id, accountId } of owners) {
    await audit(
      tx,
      { accountId: accountId ?? caller.accountId, userId: caller.userId },
      { type: event, description: `${type} ${what}`, resourceType: RESOURCE_TYPES[type], resourceId: id },
    );
  }
}

/** As events call them. */
const RESOURCE_TYPES = {
  UserVm: 'VirtualMachine',
  Template: 'Template',
  ISO: 'Iso',
  Volume: 'Volume',
  Network: 'Network',
  Account: 'Account',
  User: 'User',
} as const;
