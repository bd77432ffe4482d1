import { RESOURCES, type ResourceType, UNLIMITED } from '../shared/resource-types.js';
import type { GlobalSettingValues } from '../shared/settings.js';
import type { OwnerUsage } from './reads/read-usage.js';

export interface ExceededLimit {
  kind: OwnerUsage['kind'];
  ownerId: string;
  type: ResourceType;
  max: number;
  used: number;
}

/** The limit that counts for an account or a domain. The root domain, and root admins, are not asked about: they have none. */
export const limitOf = (
  { kind, limits }: Pick<OwnerUsage, 'kind' | 'limits'>,
  type: ResourceType,
  settings: GlobalSettingValues,
): number => limits[type] ?? Number(settings[RESOURCES[type].settings[kind]]);

/**
 * The first limit that is exceeded: of the account before those of domains.
 *
 * @param types what has grown; a limit of something else may have been lowered below what is there
 */
export function exceededLimit(
  owners: readonly OwnerUsage[],
  types: readonly ResourceType[],
  settings: GlobalSettingValues,
): ExceededLimit | undefined {
  const sorted = owners.toSorted((left, right) => (left.kind < right.kind ? -1 : left.kind > right.kind ? 1 : 0));
  for (const owner of sorted) {
    for (const type of types) {
      const max = limitOf(owner, type, settings);
      const used = owner.used[type];
      if (max !== UNLIMITED && used > max) return { kind: owner.kind, ownerId: owner.ownerId, type, max, used };
    }
  }
  return undefined;
}
