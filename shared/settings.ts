import type { SettingEntry } from './setting-entry.js';

const HOUR_MS = 3_600_000;
const DAY_S = 86_400;
/** Milliseconds in 32 bits, where a timer of Node ends, are not quite 25 days. */
const LONGEST_TIMER_S = 24 * DAY_S;
/** A TiB each second: nobody's network, and far from where numbers lose digits. */
const MOST_MIB_PER_SECOND = 1024 ** 2;
/** In whatever unit: numbers keep their digits far beyond. */
export const MOST_OF_A_RESOURCE = 1_000_000_000_000;

/**
 * All settings in one typed table: names, defaults, units and scopes as CloudStack has them where it has them.
 * The `configuration` table holds only values that differ from the default, and `configuration_scoped` what zones,
 * clusters, pools and accounts have of their own.
 */
export const SETTINGS = {
  'direct.download.connect.timeout': {
    defaultValue: '5000',
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: HOUR_MS,
    subgroup: 'Images',
    description: 'Longest wait for a connection to an image source.',
  },
  'direct.download.socket.timeout': {
    defaultValue: '5000',
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: HOUR_MS,
    subgroup: 'Images',
    description: 'Longest silence of an image source during a transfer.',
  },
  'direct.download.connection.request.timeout': {
    defaultValue: '5000',
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: HOUR_MS,
    subgroup: 'Images',
    description:
      'Longest wait for a free connection to an image source. It is there for clients of CloudStack, and without effect: no request waits for the connection of another.',
  },
  'direct.download.total.timeout': {
    defaultValue: '10800',
    type: 'integer',
    unit: 's',
    min: 1,
    max: LONGEST_TIMER_S,
    subgroup: 'Images',
    description: 'Longest time for one download.',
  },
  'direct.download.own.servers': {
    defaultValue: '',
    type: 'servers',
    scopes: ['Zone'],
    subgroup: 'Images',
    description:
      'Comma-separated host names, host:port pairs and CIDRs of image servers that are yours: several connections may be opened to each. To any other server there is one.',
  },
  'direct.download.own.server.connections': {
    defaultValue: '8',
    type: 'integer',
    min: 1,
    max: 16,
    subgroup: 'Images',
    parent: 'direct.download.own.servers',
    description: 'How many connections a download opens to an image server of direct.download.own.servers.',
  },
  'direct.download.mirror.locations': {
    defaultValue: '',
    type: 'countryCodes',
    scopes: ['Zone'],
    subgroup: 'Images',
    description:
      'Comma-separated two-letter country codes: mirrors there come first among those of equal priority in a metalink.',
  },
  'direct.download.bandwidth.host': {
    defaultValue: '0',
    type: 'integer',
    unit: 'MiB/s',
    min: 0,
    max: MOST_MIB_PER_SECOND,
    scopes: ['Zone', 'Cluster'],
    subgroup: 'Images',
    description: 'Most that all downloads of a host take together; 0 for no limit.',
  },
  'direct.download.bandwidth.pool': {
    defaultValue: '0',
    type: 'integer',
    unit: 'MiB/s',
    min: 0,
    max: MOST_MIB_PER_SECOND,
    scopes: ['Zone', 'Cluster'],
    subgroup: 'Images',
    description: 'Most that all downloads to a pool take together on a host; 0 for no limit.',
  },
  'direct.download.bandwidth.origin': {
    defaultValue: '0',
    type: 'integer',
    unit: 'MiB/s',
    min: 0,
    max: MOST_MIB_PER_SECOND,
    scopes: ['Zone', 'Cluster'],
    subgroup: 'Images',
    description: 'Most that a host takes from one image server; 0 for no limit.',
  },
  'direct.download.certificate.background.task.interval': {
    defaultValue: '1',
    type: 'integer',
    unit: 'hours',
    min: 0,
    max: 8760,
    subgroup: 'Images',
    description:
      'How often hosts are looked for that do not have the certificates that they should; 0 for never, which pauses the schedule certificate-sync.',
  },
  'store.download.follow.redirects': {
    defaultValue: 'false',
    type: 'boolean',
    subgroup: 'Images',
    description:
      'Whether redirects of image sources are followed, as many public mirrors need it; the URL policy applies to every hop.',
  },
  'secstorage.allowed.internal.sites': {
    defaultValue: '',
    type: 'cidrs',
    subgroup: 'Secondary Storage',
    description: 'Comma-separated CIDRs that image URLs may lead to although they are loopback, link-local or private.',
  },
  'max.template.iso.size': {
    defaultValue: '50',
    type: 'integer',
    unit: 'GB',
    min: 1,
    max: 64 * 1024,
    subgroup: 'Images',
    description: 'Largest template or ISO that is downloaded.',
  },
  'storage.overprovisioning.factor': {
    defaultValue: '2',
    type: 'decimal',
    min: 1,
    max: 100,
    scopes: ['StoragePool'],
    category: 'Storage',
    subgroup: 'Primary Storage',
    description:
      'How many times the space of a pool, less what its templates take, may be promised to root disks: they grow as guests write.',
  },
  'template.delete.from.primary.storage': {
    defaultValue: 'true',
    type: 'boolean',
    subgroup: 'Images',
    description: 'Whether the copies of a deleted template leave the pools as soon as nothing stands on them.',
  },
  'storage.template.cleanup.enabled': {
    defaultValue: 'true',
    type: 'boolean',
    category: 'Storage',
    subgroup: 'Primary Storage',
    description:
      'Whether copies of templates leave a pool when nothing has used them for storage.cleanup.interval, and when there is no space for what is asked for.',
  },
  'storage.cleanup.interval': {
    defaultValue: '86400',
    type: 'integer',
    unit: 's',
    min: 0,
    max: 3650 * DAY_S,
    subgroup: 'Primary Storage',
    description: 'How long a copy of a template may be unused on a pool before it is removed.',
  },
  'host.reconnect.grace': {
    defaultValue: '60',
    type: 'integer',
    unit: 's',
    min: 0,
    max: DAY_S,
    subgroup: 'Hypervisor',
    description: 'How long a download waits for a host worker that went away before another host is tried.',
  },
  'deployment.deadline': {
    defaultValue: '10800',
    type: 'integer',
    unit: 's',
    min: 1,
    max: LONGEST_TIMER_S,
    subgroup: 'Virtual Machine',
    description: 'Longest time for the whole deployment of a virtual machine.',
  },
  'expunge.delay': {
    defaultValue: '86400',
    type: 'integer',
    unit: 's',
    min: 1,
    max: 3650 * DAY_S,
    subgroup: 'Limits',
    description: 'How long a destroyed virtual machine can be recovered before it is expunged.',
  },
  'expunge.interval': {
    defaultValue: '86400',
    type: 'integer',
    unit: 's',
    min: 1,
    max: LONGEST_TIMER_S,
    subgroup: 'Limits',
    description: 'How often destroyed virtual machines are looked at, to expunge those whose expunge.delay is over.',
  },
  'allow.user.expunge.recover.vm': {
    defaultValue: 'false',
    type: 'boolean',
    scopes: ['Account'],
    subgroup: 'Virtual Machine',
    description: 'Whether users may expunge and recover their virtual machines; administrators always may.',
  },
  'allow.public.user.templates': {
    defaultValue: 'true',
    type: 'boolean',
    scopes: ['Account'],
    subgroup: 'Images',
    description: 'Whether users may give their templates and ISOs to everybody; administrators always may.',
  },
  'allow.user.network': {
    defaultValue: 'true',
    type: 'boolean',
    scopes: ['Zone', 'Account'],
    subgroup: 'Network',
    description:
      'Whether users may put virtual machines into networks of type User, from which a guest reaches what listens on the loopback address of its host; administrators always may.',
  },
  'sortkey.algorithm': {
    defaultValue: 'true',
    type: 'boolean',
    description:
      'Whether templates, ISOs, service and disk offerings and zones with a small sort key come first in their lists, and else those with a large one.',
  },
  'cpu.overprovisioning.factor': {
    defaultValue: '1',
    type: 'decimal',
    min: 1,
    max: 100,
    scopes: ['Cluster'],
    subgroup: 'Virtual Machine',
    description: 'How many times the CPU of a host may be promised to virtual machines.',
  },
  'mem.overprovisioning.factor': {
    defaultValue: '1',
    type: 'decimal',
    min: 1,
    max: 10,
    scopes: ['Cluster'],
    subgroup: 'Virtual Machine',
    description: 'How many times the memory of a host may be promised to virtual machines.',
  },
  'cluster.cpu.allocated.capacity.disablethreshold': {
    // CloudStack has 0.85 here and below: a small installation would be full with a seventh of it free.
    defaultValue: '1',
    type: 'decimal',
    min: 0.01,
    max: 1,
    scopes: ['Cluster'],
    category: 'Alert',
    subgroup: 'Limits',
    description:
      'Part of the CPU of a cluster, with overprovisioning, that may be promised before it gets no more virtual machines; 1 for all of it.',
  },
  'cluster.memory.allocated.capacity.disablethreshold': {
    defaultValue: '1',
    type: 'decimal',
    min: 0.01,
    max: 1,
    scopes: ['Cluster'],
    category: 'Alert',
    subgroup: 'Limits',
    description:
      'Part of the memory of a cluster, with overprovisioning, that may be promised before it gets no more virtual machines; 1 for all of it.',
  },
  'pool.storage.capacity.disablethreshold': {
    defaultValue: '1',
    type: 'decimal',
    min: 0.01,
    max: 1,
    scopes: ['Zone', 'StoragePool'],
    category: 'Alert',
    subgroup: 'Primary Storage',
    description:
      'Part of the file system of a pool, whoever uses it, that may be in use after a new disk or template; 1 for all of it.',
  },
  'pool.storage.allocated.capacity.disablethreshold': {
    defaultValue: '1',
    type: 'decimal',
    min: 0.01,
    max: 1,
    scopes: ['Zone', 'StoragePool'],
    category: 'Alert',
    subgroup: 'Primary Storage',
    description:
      'Part of a pool, with overprovisioning, that may be promised to disks and taken by templates; 1 for all of it.',
  },
  'create.full.clone': {
    defaultValue: 'false',
    type: 'boolean',
    scopes: ['StoragePool'],
    subgroup: 'Volume',
    description: 'Whether a root disk is a whole copy of its template, rather than an overlay that stands on it.',
  },
  'event.purge.delay': {
    defaultValue: '15',
    type: 'integer',
    unit: 'days',
    min: 0,
    max: 36_500,
    subgroup: 'Events',
    description: 'How long events are kept; 0 for ever.',
  },
  'job.expire.minutes': {
    defaultValue: '1440',
    type: 'integer',
    unit: 'min',
    min: 1,
    max: 10_000_000,
    subgroup: 'Jobs',
    description:
      'How long jobs are kept after they have ended: with a customjobid, as long the same call gives the same job.',
  },
  'expunged.resources.purge.keep.past.days': {
    defaultValue: '30',
    type: 'integer',
    unit: 'days',
    min: 0,
    max: 36_500,
    subgroup: 'Limits',
    description: 'How long rows of expunged virtual machines and deleted templates are kept; 0 for ever.',
  },
  'event.purge.interval': {
    defaultValue: '86400',
    type: 'integer',
    unit: 's',
    min: 1,
    max: LONGEST_TIMER_S,
    subgroup: 'Events',
    parent: 'event.purge.delay',
    description: 'How often events, jobs and rows that are kept no longer are looked for.',
  },
  'storage.reconcile.interval': {
    defaultValue: '3600',
    type: 'integer',
    unit: 's',
    min: 5,
    max: LONGEST_TIMER_S,
    subgroup: 'Primary Storage',
    description:
      'How often what is on pools and runs on hosts is compared with the database; also when a host worker has started.',
  },
  'stop.script.timeout': {
    // CloudStack's agents have it under this name, with this default: Windows installing updates takes its time.
    defaultValue: '120',
    type: 'integer',
    unit: 's',
    min: 1,
    max: DAY_S,
    subgroup: 'Agent',
    description: 'How long a guest that is asked to power off or to reboot may take before it is made to.',
  },
  'session.timeout': {
    defaultValue: '30',
    type: 'integer',
    unit: 'min',
    min: 1,
    max: 60 * 24 * 30,
    subgroup: 'Account',
    description: 'How long a session lasts that nobody uses.',
  },
  'incorrect.login.attempts.allowed': {
    defaultValue: '5',
    type: 'integer',
    min: 0,
    max: 1000,
    subgroup: 'Account',
    description:
      'How many logins of one user may fail from one address within 15 minutes before the next from there are refused unread. After ten times as many of all users from one address, or twenty times as many of one user from all addresses, only those are let in who were let in from there within 90 days. 0 for any number. API keys go on working.',
  },
  'max.account.user.vms': {
    defaultValue: '20',
    type: 'integer',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Account',
    description: 'Most virtual machines of an account without a limit of its own; -1 for no limit.',
  },
  'max.account.templates': {
    defaultValue: '20',
    type: 'integer',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Account',
    description: 'Most templates and ISOs of an account without a limit of its own; -1 for no limit.',
  },
  'max.account.cpus': {
    defaultValue: '40',
    type: 'integer',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Account',
    description: 'Most CPU cores of the virtual machines of an account without a limit of its own; -1 for no limit.',
  },
  'max.account.memory': {
    defaultValue: '40960',
    type: 'integer',
    unit: 'MB',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Account',
    description: 'Most memory of the virtual machines of an account without a limit of its own; -1 for no limit.',
  },
  'max.account.primary.storage': {
    defaultValue: '200',
    type: 'integer',
    unit: 'GB',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Account',
    description: 'Most space of the disks of an account without a limit of its own; -1 for no limit.',
  },
  'max.domain.user.vms': {
    defaultValue: '-1',
    type: 'integer',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Domain',
    description:
      'Most virtual machines of the accounts of a domain and below together, for a domain without a limit of its own; -1 for no limit. The root domain has none.',
  },
  'max.domain.templates': {
    defaultValue: '-1',
    type: 'integer',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Domain',
    description:
      'Most templates and ISOs of the accounts of a domain and below together, for a domain without a limit of its own; -1 for no limit. The root domain has none.',
  },
  'max.domain.cpus': {
    defaultValue: '-1',
    type: 'integer',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Domain',
    description:
      'Most CPU cores of the virtual machines of the accounts of a domain and below together, for a domain without a limit of its own; -1 for no limit. The root domain has none.',
  },
  'max.domain.memory': {
    defaultValue: '-1',
    type: 'integer',
    unit: 'MB',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Domain',
    description:
      'Most memory of the virtual machines of the accounts of a domain and below together, for a domain without a limit of its own; -1 for no limit. The root domain has none.',
  },
  'max.domain.primary.storage': {
    defaultValue: '-1',
    type: 'integer',
    unit: 'GB',
    min: -1,
    max: MOST_OF_A_RESOURCE,
    subgroup: 'Domain',
    description:
      'Most space of the disks of the accounts of a domain and below together, for a domain without a limit of its own; -1 for no limit. The root domain has none.',
  },
  'enforce.post.requests.and.timestamps': {
    defaultValue: 'false',
    type: 'boolean',
    subgroup: 'Limits',
    description:
      'Whether commands that change something have to come by POST, and whether signed calls have to say when they expire (signature version 3), within 15 minutes at most: what somebody saw of a call is then soon worth nothing. Clients that sign by version 1, or send everything by GET, are shut out.',
  },
  'api.throttling.enabled': {
    defaultValue: 'false',
    type: 'boolean',
    subgroup: 'Limits',
    description:
      'Whether the calls of an account to the API are limited; those of root admins are not. Holds within seconds.',
  },
  'api.throttling.interval': {
    defaultValue: '1',
    type: 'integer',
    unit: 's',
    min: 1,
    max: DAY_S,
    subgroup: 'Limits',
    parent: 'api.throttling.enabled',
    description: 'The time in which api.throttling.max calls are allowed.',
  },
  'api.throttling.max': {
    defaultValue: '25',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    subgroup: 'Limits',
    parent: 'api.throttling.enabled',
    description: 'How many calls an account may make within api.throttling.interval, to all gateways together.',
  },
} as const satisfies Record<string, SettingEntry>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);

export const settingEntry = (name: SettingName): SettingEntry => SETTINGS[name];

export type SettingValues = Record<SettingName, string>;

/** Those that can be set for nothing less than the whole installation: to read them, it need not be known for what. */
export type GlobalSettingValues = {
  [Name in SettingName as (typeof SETTINGS)[Name] extends { scopes: unknown } ? never : Name]: string;
};

export const defaultSettings = (): SettingValues =>
  Object.fromEntries(Object.entries(SETTINGS).map(([name, { defaultValue }]) => [name, defaultValue])) as SettingValues;
