import type { SettingName } from './settings.js';

/** What accounts and domains may have a limit of, under CloudStack's names. */
export const RESOURCE_TYPES = ['user_vm', 'template', 'cpu', 'memory', 'primary_storage'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

interface ResourceEntry {
  /** CloudStack's number of it. */
  number: number;
  /** The limit of an account that has none of its own. */
  setting: SettingName;
}

/** Units: VMs, templates and ISOs, cores, MiB of memory, GiB of disk. */
export const RESOURCES = {
  user_vm: { number: 0, setting: 'max.account.user.vms' },
  template: { number: 4, setting: 'max.account.templates' },
  cpu: { number: 8, setting: 'max.account.cpus' },
  memory: { number: 9, setting: 'max.account.memory' },
  primary_storage: { number: 10, setting: 'max.account.primary.storage' },
} as const satisfies Record<ResourceType, ResourceEntry>;

/** Stands for no limit, in the API, in settings and in the database. */
export const UNLIMITED = -1;
