import { eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import { type OwnSetting, scopedSettings, type ScopedSettings } from '../shared/scoped-settings.js';
import { SETTING_SCOPES, type SettingScope } from '../shared/setting-entry.js';
import { defaultSettings, isSettingName, settingEntry, type SettingValues } from '../shared/settings.js';
import type { Database } from './client.js';
import { cluster, configuration, configurationScoped as scoped, host, storagePool } from './schema/index.js';
import { usableValue, type Warn, warnOnConsole } from './settings.js';

type Reader = Pick<Database, 'select' | 'execute'>;

/**
 * What counts in a zone and in each of its clusters and pools; without a zone, in all of them. What single accounts have
 * of their own is left out. One statement, whose rows are those of what was changed.
 *
 * @param zoneId may be SQL that gives it
 */
export async function readScopedSettings(
  db: Reader,
  zoneId?: string | SQL,
  warn: Warn = warnOnConsole,
): Promise<ScopedSettings> {
  const isInZone = sql`(zone_id = ${zoneId} or cluster_id in (select id from ${cluster} where data_center_id = ${zoneId})
    or pool_id in (select id from ${storagePool} where data_center_id = ${zoneId}))`;
  return scopedSettings(await read(db, zoneId === undefined ? isNull(scoped.accountId) : isInZone, warn));
}

/** Whose settings: those of its cluster and zone count for a host or a pool too. */
export type SettingsOwner =
  | { hostId: string }
  | { poolId: string }
  | { clusterId: string }
  | { accountId: string; zoneId?: string }
  | { zoneId: string };

/** What counts for one of these. One statement. */
export async function readSettingsOf(
  db: Reader,
  owner: SettingsOwner,
  warn: Warn = warnOnConsole,
): Promise<SettingValues> {
  const { values, own } = await read(db, isOf(db, owner), warn);
  const rows = SETTING_SCOPES.flatMap((scope) => own.filter((row) => row.scope === scope));
  return Object.assign(values, Object.fromEntries(rows.map(({ name, value }) => [name, value])));
}

function isOf(db: Reader, owner: SettingsOwner): SQL | undefined {
  if ('accountId' in owner) {
    return or(eq(scoped.accountId, owner.accountId), owner.zoneId ? eq(scoped.zoneId, owner.zoneId) : undefined);
  }
  if ('zoneId' in owner) return eq(scoped.zoneId, owner.zoneId);
  if ('clusterId' in owner) {
    return or(isZoneOf(db, cluster, owner.clusterId), eq(scoped.clusterId, owner.clusterId));
  }
  const [table, id] = 'hostId' in owner ? ([host, owner.hostId] as const) : ([storagePool, owner.poolId] as const);
  return or(
    isZoneOf(db, table, id),
    inArray(scoped.clusterId, db.select({ id: table.clusterId }).from(table).where(eq(table.id, id))),
    'poolId' in owner ? eq(scoped.poolId, id) : undefined,
  );
}

const isZoneOf = (db: Reader, table: typeof host | typeof storagePool | typeof cluster, id: string): SQL =>
  inArray(scoped.zoneId, db.select({ id: table.dataCenterId }).from(table).where(eq(table.id, id)));

interface ReadRows {
  /** Of the whole installation. */
  values: SettingValues;
  own: (OwnSetting & { scope: SettingScope })[];
}

interface Row extends Record<string, unknown> {
  name: string;
  value: string;
  owner_id: string | null;
  scope: SettingScope | null;
}

async function read(db: Reader, where: SQL | undefined, warn: Warn): Promise<ReadRows> {
  // In SQL: a planner asks for each deployment, and to put the same together from parts takes longer than to run it.
  const rows = await db.execute<Row>(sql`
    select name, value, null::uuid as owner_id, null as scope from ${configuration}
    union all
    select name, value, coalesce(zone_id, cluster_id, pool_id, account_id),
      case when zone_id is not null then 'Zone' when cluster_id is not null then 'Cluster'
        when pool_id is not null then 'StoragePool' else 'Account' end
    from ${scoped} where ${where}`);
  const values = defaultSettings();
  const own: ReadRows['own'] = [];
  for (const row of rows) {
    if (!isSettingName(row.name)) continue;
    const setting = { name: row.name, value: row.value };
    if (row.owner_id === null || row.scope === null) {
      values[row.name] = usableValue(setting, values[row.name], warn);
      continue;
    }
    // Otherwise one of a version whose setting has that scope.
    if (!settingEntry(row.name).scopes?.includes(row.scope)) continue;
    const usable = usableValue(setting, undefined, warn);
    if (usable !== undefined) own.push({ ownerId: row.owner_id, scope: row.scope, name: row.name, value: usable });
  }
  return { values, own };
}
