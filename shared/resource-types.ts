import type { SettingName } from './settings.js';

/** What accounts and domains may have a limit of, under CloudStack's names. */
export const RESOURCE_TYPES = ['user_vm', 'template', 'cpu', 'memory', 'primary_storage'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

interface ResourceEntry {
  /** CloudStack's number of it. */
  number: number;
  /** The limits of an account and of a domain that have none of their own. */
  settings: { account: SettingName; domain: SettingName };
}

/** Units: VMs, templates and ISOs, cores, MiB of memory, GiB of disk. */
export const RESOURCES = {
  user_vm: { number: 0, settings: { account: 'max.account.user.vms', domain: 'max.domain.user.vms' } },
  template: { number: 4, settings: { account: 'max.account.templates', domain: 'max.domain.templates' } },
  cpu: { number: 8, settings: { account: 'max.account.cpus', domain: 'max.domain.cpus' } },
  memory: { number: 9, settings: { account: 'max.account.memory', domain: 'max.domain.memory' } },
  primary_storage: {
    number: 10,
    settings: { account: 'max.account.primary.storage', domain: 'max.domain.primary.storage' },
  },
} as const satisfies Record<ResourceType, ResourceEntry>;

/** Stands for no limit, in the API, in settings and in the database. */
export const UNLIMITED = -1;
