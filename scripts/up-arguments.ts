import { parseArgs } from 'node:util';
import type { InstallationPorts } from '../embedded/installation-ports.js';
import type { SettingValues } from '../shared/settings.js';

export interface UpArguments {
  hosts: number;
  isPoolShared: boolean;
  ports: InstallationPorts;
  settings: Partial<SettingValues>;
  isHelpWanted: boolean;
}

export const USAGE = `usage: scripts/up [options]
  --hosts N               local KVM hosts, 1 to 20 (3)
  --shared-pool           hosts that join for the first time share one pool, as if
                          it were mounted on each; one download serves all of them
  --port N                API (8080)
  --temporal-ui-port N    Temporal's Web UI (8233)
  --temporal-port N       Temporal itself (7233)
  --postgres-port N       PostgreSQL (8432)
  --allow-loopback        let hosts download images from this machine itself: adds
                          127.0.0.0/8,::1/128 to secstorage.allowed.internal.sites
With DATABASE_URL or TEMPORAL_ADDRESS set, those servers are used instead of embedded ones.`;

const LOOPBACK_CIDRS = '127.0.0.0/8,::1/128';
const MOST_HOSTS = 20;

const OPTIONS = {
  hosts: { type: 'string', default: '3' },
  'shared-pool': { type: 'boolean', default: false },
  port: { type: 'string', default: '8080' },
  'temporal-ui-port': { type: 'string', default: '8233' },
  'temporal-port': { type: 'string', default: '7233' },
  'postgres-port': { type: 'string', default: '8432' },
  'allow-loopback': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function whole(flag: string, text: string, from: number, to: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new Error(`--${flag} has to be a number from ${from} to ${to}, not ${text}.`);
}

export function parseUpArguments(args: string[]): UpArguments | { problem: string } {
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    const port = (flag: 'port' | 'temporal-ui-port' | 'temporal-port' | 'postgres-port'): number =>
      whole(flag, values[flag], 1, 65_535);
    return {
      hosts: whole('hosts', values.hosts, 1, MOST_HOSTS),
      isPoolShared: values['shared-pool'],
      ports: {
        gateways: [port('port')],
        temporalUi: port('temporal-ui-port'),
        temporal: port('temporal-port'),
        postgres: port('postgres-port'),
      },
      settings: values['allow-loopback'] ? { 'secstorage.allowed.internal.sites': LOOPBACK_CIDRS } : {},
      isHelpWanted: values.help,
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
