import type { SettingValues } from './settings.js';

/** What a host needs to know to read from sources. Times in milliseconds. */
export interface DownloadSettings {
  connectTimeoutMs: number;
  socketTimeoutMs: number;
  connectionRequestTimeoutMs: number;
  followRedirects: boolean;
  /** CIDRs that the URL policy lets through although they are internal. */
  allowedInternalCidrs: string[];
  maxSizeBytes: number;
  totalTimeoutMs: number;
  /** Host names, `host:port` and CIDRs of servers to which several connections may be opened. */
  ownServers: string[];
  ownServerConnections: number;
  /** Two-letter country codes in lower case, best first. */
  mirrorLocations: string[];
  /** Caps in bytes per second; 0 for none. `asOfMs` is when they were read, by the clock of the database. */
  bandwidth: { host: number; pool: number; origin: number; asOfMs?: number };
}

/** The limits that a host was told, and the start of the host worker that was told them. */
export interface ToldLimits extends Omit<DownloadSettings['bandwidth'], 'asOfMs'> {
  /** Missing where it was noted by a version that did not know; null for a host that has never said hello. */
  bootId?: string | null;
}

const MIB = 1024 ** 2;

const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');

export function downloadSettings(values: SettingValues): DownloadSettings {
  return {
    connectTimeoutMs: Number(values['direct.download.connect.timeout']),
    socketTimeoutMs: Number(values['direct.download.socket.timeout']),
    connectionRequestTimeoutMs: Number(values['direct.download.connection.request.timeout']),
    followRedirects: values['store.download.follow.redirects'] === 'true',
    allowedInternalCidrs: list(values['secstorage.allowed.internal.sites']),
    maxSizeBytes: Number(values['max.template.iso.size']) * 1024 ** 3,
    totalTimeoutMs: Number(values['direct.download.total.timeout']) * 1000,
    ownServers: list(values['direct.download.own.servers']),
    ownServerConnections: Number(values['direct.download.own.server.connections']),
    mirrorLocations: list(values['direct.download.mirror.locations']),
    bandwidth: {
      host: Number(values['direct.download.bandwidth.host']) * MIB,
      pool: Number(values['direct.download.bandwidth.pool']) * MIB,
      origin: Number(values['direct.download.bandwidth.origin']) * MIB,
    },
  };
}
