import { limitOf } from '../../db/exceeded-limit.js';
import type { OwnerUsage } from '../../db/reads/read-usage.js';
import { RESOURCE_TYPES, type ResourceType, UNLIMITED } from '../../shared/resource-types.js';
import type { GlobalSettingValues } from '../../shared/settings.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const usageFields = {
  vmlimit: field('string', 'Most virtual machines; Unlimited for no limit.'),
  vmtotal: field('long', 'Virtual machines, but for destroyed ones.'),
  vmavailable: field('string', 'How many more there may be.'),
  templatelimit: field('string', 'Most templates and ISOs.'),
  templatetotal: field('long', 'Templates and ISOs.'),
  templateavailable: field('string', 'How many more there may be.'),
  cpulimit: field('string', 'Most CPU cores.'),
  cputotal: field('long', 'CPU cores of the virtual machines.'),
  cpuavailable: field('string', 'How many more there may be.'),
  memorylimit: field('string', 'Most memory in MiB.'),
  memorytotal: field('long', 'Memory of the virtual machines in MiB.'),
  memoryavailable: field('string', 'How much more there may be.'),
  primarystoragelimit: field('string', 'Most space of disks in GiB.'),
  primarystoragetotal: field('long', 'Space of disks in GiB.'),
  primarystorageavailable: field('string', 'How much more there may be.'),
} as const;

/** A GiB that is begun counts. */
export const shownAmount = (amount: number): number => Math.ceil(amount);

const shownLimit = (limit: number): string => (limit === UNLIMITED ? 'Unlimited' : String(limit));

/** Without limits for whom none counts. */
export function usageResponse(
  usage: OwnerUsage,
  { settings, isUnlimited }: { settings: GlobalSettingValues; isUnlimited: boolean },
): ResponseOf<typeof usageFields> {
  const of = Object.fromEntries(
    RESOURCE_TYPES.map((type) => {
      const limit = isUnlimited ? UNLIMITED : limitOf(usage, type, settings);
      const total = shownAmount(usage.used[type]);
      const available = limit === UNLIMITED ? UNLIMITED : Math.max(0, limit - total);
      return [type, { limit: shownLimit(limit), total, available: shownLimit(available) }];
    }),
  ) as Record<ResourceType, { limit: string; total: number; available: string }>;
  return {
    vmlimit: of.user_vm.limit,
    vmtotal: of.user_vm.total,
    vmavailable: of.user_vm.available,
    templatelimit: of.template.limit,
    templatetotal: of.template.total,
    templateavailable: of.template.available,
    cpulimit: of.cpu.limit,
    cputotal: of.cpu.total,
    cpuavailable: of.cpu.available,
    memorylimit: of.memory.limit,
    memorytotal: of.memory.total,
    memoryavailable: of.memory.available,
    primarystoragelimit: of.primary_storage.limit,
    primarystoragetotal: of.primary_storage.total,
    primarystorageavailable: of.primary_storage.available,
  };
}
