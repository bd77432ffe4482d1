import { eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import { type OwnSetting, scopedSettings, type ScopedSettings } from '../shared/scoped-settings.js';
import { SETTING_SCOPES, type SettingScope } from '../shared/setting-entry.js';
import { defaultSettings, isSettingName, settingEntry, type SettingValues } from '../shared/settings.js';
import type { Database } from './client.js';
import { cluster, configuration, configurationScoped as scoped, host, storagePool } from './schema/index.js';
import { usableValue, type Warn, warnOnConsole } from './settings.js';

type Reader = Pick<Database, 'select'>;

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
  if (zoneId === undefined) return scopedSettings(await read(db, isNull(scoped.accountId), warn));
  const clusters = db
    .select({ id: cluster.id })
    .from(cluster)
    .where(sql`${cluster.dataCenterId} = ${zoneId}`);
  const pools = db
    .select({ id: storagePool.id })
    .from(storagePool)
    .where(sql`${storagePool.dataCenterId} = ${zoneId}`);
  const isInZone = or(
    sql`${scoped.zoneId} = ${zoneId}`,
    inArray(scoped.clusterId, clusters),
    inArray(scoped.poolId, pools),
  );
  return scopedSettings(await read(db, isInZone, warn));
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

const ownerId = sql<
  string | null
>`coalesce(${scoped.zoneId}, ${scoped.clusterId}, ${scoped.poolId}, ${scoped.accountId})`;
const scope = sql<SettingScope | null>`case when ${scoped.zoneId} is not null then 'Zone' when ${scoped.clusterId} is not null
  then 'Cluster' when ${scoped.poolId} is not null then 'StoragePool' else 'Account' end`;

async function read(db: Reader, where: SQL | undefined, warn: Warn): Promise<ReadRows> {
  const { name, value } = configuration;
  const ofAll = {
    ownerId: sql<string | null>`null::uuid`.as('owner_id'),
    scope: sql<SettingScope | null>`null::text`.as('scope'),
  };
  const rows = await db
    .select({ name, value, ...ofAll })
    .from(configuration)
    .unionAll(db.select({ name: scoped.name, value: scoped.value, ownerId, scope }).from(scoped).where(where));
  const values = defaultSettings();
  const own: ReadRows['own'] = [];
  for (const row of rows) {
    if (!isSettingName(row.name)) continue;
    const setting = { name: row.name, value: row.value };
    if (row.ownerId === null || row.scope === null) {
      values[row.name] = usableValue(setting, values[row.name], warn);
      continue;
    }
    // Otherwise one of a version whose setting has that scope.
    if (!settingEntry(row.name).scopes?.includes(row.scope)) continue;
    const usable = usableValue(setting, undefined, warn);
    if (usable !== undefined) own.push({ ownerId: row.ownerId, scope: row.scope, name: row.name, value: usable });
  }
  return { values, own };
}
