import type { SettingName, SettingValues } from './settings.js';

/** A place in the installation, or an account: what settings count there is asked for it. */
export interface SettingPlace {
  zoneId?: string | null | undefined;
  clusterId?: string | null | undefined;
  poolId?: string | null | undefined;
  accountId?: string | null | undefined;
}

/** What a zone, a cluster, a pool or an account has of its own. */
export interface OwnSetting {
  ownerId: string;
  name: SettingName;
  value: string;
}

export interface ScopedSettings {
  /** The setting of the account, else of the pool, of the cluster, of the zone, of the whole installation. */
  at: (place: SettingPlace) => SettingValues;
}

/** @param values of the whole installation */
export function scopedSettings({ values, own }: { values: SettingValues; own: readonly OwnSetting[] }): ScopedSettings {
  const byOwner = new Map<string, Partial<SettingValues>>();
  for (const { ownerId, name, value } of own) byOwner.set(ownerId, { ...byOwner.get(ownerId), [name]: value });
  return {
    at({ zoneId, clusterId, poolId, accountId }) {
      const found = [zoneId, clusterId, poolId, accountId].flatMap((id) => (id && byOwner.get(id)) || []);
      // Most places have nothing of their own, and a planner asks for thousands of them.
      return found.length === 0 ? values : Object.assign({}, values, ...found);
    },
  };
}
