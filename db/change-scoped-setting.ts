import { and, eq, isNull, sql } from 'drizzle-orm';
import type { SettingScope } from '../shared/setting-entry.js';
import type { SettingName } from '../shared/settings.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { account, cluster, configurationScoped as scoped, dataCenter, storagePool } from './schema/index.js';
import { readSettingsOf, type SettingsOwner } from './scoped-settings.js';

/** Something that may have settings of its own. */
export interface SettingOwner {
  scope: SettingScope;
  id: string;
}

/** What each scope is called in events, and where its owners and their settings are. */
const SCOPES = {
  Zone: { word: 'zone', table: dataCenter, name: dataCenter.name, key: 'zoneId' },
  Cluster: { word: 'cluster', table: cluster, name: cluster.name, key: 'clusterId' },
  StoragePool: { word: 'pool', table: storagePool, name: storagePool.name, key: 'poolId' },
  Account: { word: 'account', table: account, name: account.accountName, key: 'accountId' },
} as const;

/** As `readSettingsOf` takes it. */
export const settingsOwner = ({ scope, id }: SettingOwner): SettingsOwner =>
  ({ Zone: { zoneId: id }, Cluster: { clusterId: id }, StoragePool: { poolId: id }, Account: { accountId: id } })[
    scope
  ];

export async function hasSettingOwner(db: Database, { scope, id }: SettingOwner): Promise<boolean> {
  const { table } = SCOPES[scope];
  const rows = await db
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.id, id), isNull(table.removed)));
  return rows.length > 0;
}

/**
 * Changes what an owner has of its own, and keeps who did it. Nothing happens when it has that value.
 *
 * @param change `value` as `parseSetting` gives it; undefined for what counts around the owner
 * @returns false when the owner is gone
 */
export const changeScopedSetting = (
  db: Database,
  owner: SettingOwner,
  { name, value, ...who }: { name: SettingName; value: string | undefined; accountId: string; userId?: string },
): Promise<boolean> =>
  db.transaction(async (tx) => {
    const { word, key } = SCOPES[owner.scope];
    const ownerName = await lockOwner(tx, owner);
    if (ownerName === undefined) return false;
    const isRow = and(eq(scoped.name, name), eq(scoped[key], owner.id));
    const [own] = await tx.select().from(scoped).where(isRow);
    if (own?.value === value) return true;
    const before = own?.value ?? (await readSettingsOf(tx, settingsOwner(owner)))[name];
    if (value === undefined) await tx.delete(scoped).where(isRow);
    else if (own)
      await tx
        .update(scoped)
        .set({ value, updated: sql`now()` })
        .where(isRow);
    else await tx.insert(scoped).values({ name, value, [key]: owner.id });
    const after = value ?? (await readSettingsOf(tx, settingsOwner(owner)))[name];
    const [from, to] = [before, after].map((text) => JSON.stringify(text));
    const why = value === undefined ? ': it has none of its own any more' : '';
    await audit(tx, who, {
      type: 'CONFIGURATION.VALUE.EDIT',
      description: `The setting ${name} of ${word} ${ownerName} was changed from ${from} to ${to}${why}`,
      resourceType: owner.scope,
      resourceId: owner.id,
    });
    return true;
  });

/** Of two calls at once both would note the same old value; and whoever removes the owner waits, or is waited for. */
async function lockOwner(tx: Transaction, { scope, id }: SettingOwner): Promise<string | undefined> {
  const { table, name } = SCOPES[scope];
  const [row] = await tx
    .select({ name })
    .from(table)
    .where(and(eq(table.id, id), isNull(table.removed)))
    .for('no key update');
  return row?.name;
}
