/**
 * All global settings in one typed table: names, defaults and units as CloudStack has them where it has them.
 * The `configuration` table holds only values that differ from the default.
 */
interface SettingEntry {
  defaultValue: string;
  type: 'integer' | 'boolean' | 'string';
  unit?: 'ms' | 's' | 'GB' | 'CIDRs';
  description: string;
}

export const SETTINGS = {
  'direct.download.connect.timeout': {
    defaultValue: '5000',
    type: 'integer',
    unit: 'ms',
    description: 'Longest wait for a connection to an image source.',
  },
  'direct.download.socket.timeout': {
    defaultValue: '5000',
    type: 'integer',
    unit: 'ms',
    description: 'Longest silence of an image source during a transfer.',
  },
  'direct.download.connection.request.timeout': {
    defaultValue: '5000',
    type: 'integer',
    unit: 'ms',
    description: 'Longest wait for a free connection to an image source.',
  },
  'store.download.follow.redirects': {
    defaultValue: 'false',
    type: 'boolean',
    description: 'Whether redirects of image sources are followed; the URL policy applies to every hop.',
  },
  'secstorage.allowed.internal.sites': {
    defaultValue: '',
    type: 'string',
    unit: 'CIDRs',
    description: 'Comma-separated CIDRs that image URLs may lead to although they are loopback, link-local or private.',
  },
  'max.template.iso.size': {
    defaultValue: '50',
    type: 'integer',
    unit: 'GB',
    description: 'Largest template or ISO that is downloaded.',
  },
  'host.reconnect.grace': {
    defaultValue: '60',
    type: 'integer',
    unit: 's',
    description: 'How long a download waits for a host worker that went away before another host is tried.',
  },
  'deployment.deadline': {
    defaultValue: '10800',
    type: 'integer',
    unit: 's',
    description: 'Longest time for the whole deployment of a virtual machine.',
  },
} as const satisfies Record<string, SettingEntry>;

export type SettingName = keyof typeof SETTINGS;

/** What a host needs to know to read from sources. Times in milliseconds. */
export interface DownloadSettings {
  connectTimeoutMs: number;
  socketTimeoutMs: number;
  connectionRequestTimeoutMs: number;
  followRedirects: boolean;
  /** CIDRs that the URL policy lets through although they are internal. */
  allowedInternalCidrs: string[];
  maxSizeBytes: number;
}

export type SettingValues = Record<SettingName, string>;

export const defaultSettings = (): SettingValues =>
  Object.fromEntries(Object.entries(SETTINGS).map(([name, { defaultValue }]) => [name, defaultValue])) as SettingValues;

export function downloadSettings(values: SettingValues): DownloadSettings {
  return {
    connectTimeoutMs: Number(values['direct.download.connect.timeout']),
    socketTimeoutMs: Number(values['direct.download.socket.timeout']),
    connectionRequestTimeoutMs: Number(values['direct.download.connection.request.timeout']),
    followRedirects: values['store.download.follow.redirects'] === 'true',
    allowedInternalCidrs: values['secstorage.allowed.internal.sites']
      .split(',')
      .map((cidr) => cidr.trim())
      .filter((cidr) => cidr !== ''),
    maxSizeBytes: Number(values['max.template.iso.size']) * 1024 ** 3,
  };
}
