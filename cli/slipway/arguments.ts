import path from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { PoolType } from '../../shared/hosts.js';
import type { Command, NewPool, OnHost, WithToken } from './commands.js';
import { DEFAULT_PLACES } from './host-places.js';
import { usageError } from './usage-error.js';

const COMMON = { json: { type: 'boolean' } } as const;
const ON_HOST = {
  ...COMMON,
  'config-dir': { type: 'string' },
  'state-dir': { type: 'string' },
  'unit-dir': { type: 'string' },
  unit: { type: 'string' },
} as const;
const WITH_TOKEN = {
  ...ON_HOST,
  gateway: { type: 'string' },
  token: { type: 'string' },
  ca: { type: 'string' },
  'allow-http': { type: 'boolean' },
} as const;
const JOIN = {
  ...WITH_TOKEN,
  name: { type: 'string' },
  pool: { type: 'string', multiple: true },
  'shared-pool': { type: 'string', multiple: true },
  'nfs-pool': { type: 'string', multiple: true },
  'libvirt-uri': { type: 'string' },
  'guest-bridge': { type: 'string' },
  'guest-vlan-interface': { type: 'string' },
  proxy: { type: 'string' },
  'temporal-address': { type: 'string' },
  'temporal-namespace': { type: 'string' },
  start: { type: 'boolean' },
  force: { type: 'boolean' },
} as const;
const WITH_CREDENTIALS = { credentials: { type: 'string' } } as const;

type Parse = (args: readonly string[]) => Command;

const COMMANDS: Record<string, Parse> = {
  'host join': parseJoin,
  'host rotate-keys': parseRotateKeys,
  'host leave': parseLeave,
  'host revoke': parseRevoke,
  'host token': parseToken,
  doctor: parseDoctor,
  migrate: parseMigrate,
  'create-admin': parseCreateAdmin,
};

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function parseArguments(args: readonly string[]): Command | 'help' {
  const [first, second] = args;
  if (first === 'help' || args.some((word) => word === '--help' || word === '-h')) return 'help';
  const name = first === 'host' ? `host ${second ?? ''}`.trim() : first;
  const parse = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  if (parse) return parse(args.slice(first === 'host' ? 2 : 1));
  throw usageError(`A command is missing: ${Object.keys(COMMANDS).join(', ')}`);
}

function parseJoin(args: readonly string[]): Command {
  const values = parseOptions(args, JOIN);
  const pools = [
    ...(values.pool ?? []).map((text) => ({ path: path.resolve(text), type: 'Filesystem' as const })),
    ...(values['shared-pool'] ?? []).map((text) => sharedPool(text, 'SharedMountPoint')),
    ...(values['nfs-pool'] ?? []).map((text) => sharedPool(text, 'NetworkFilesystem')),
  ];
  if (pools.length === 0) throw usageError('--pool is missing: a directory of this host for disks and templates');
  const temporal = {
    TEMPORAL_ADDRESS: values['temporal-address'],
    TEMPORAL_NAMESPACE: values['temporal-namespace'],
  };
  return {
    command: 'host join',
    ...withToken(values),
    name: values.name,
    pools,
    libvirtUri: libvirtUri(values['libvirt-uri']),
    guestBridge: values['guest-bridge'],
    guestVlanInterface: values['guest-vlan-interface'],
    proxy: values.proxy,
    temporal: Object.fromEntries(Object.entries(temporal).filter((pair): pair is [string, string] => !!pair[1])),
    isStarting: values.start === true,
    isForced: values.force === true,
  };
}

const POOL_WITH_ID = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):(.+)$/;

function sharedPool(text: string, type: PoolType): NewPool {
  const [, poolId, directory = text] = POOL_WITH_ID.exec(text) ?? [];
  return { path: path.resolve(directory), type, poolId };
}

function parseRotateKeys(args: readonly string[]): Command {
  const values = parseOptions(args, { ...WITH_TOKEN, 'drop-former': { type: 'boolean' } });
  return { command: 'host rotate-keys', ...withToken(values), dropsFormer: values['drop-former'] === true };
}

function parseLeave(args: readonly string[]): Command {
  const values = parseOptions(args, {
    ...ON_HOST,
    ...WITH_CREDENTIALS,
    'stop-vms': { type: 'boolean' },
    removed: { type: 'boolean' },
  });
  return {
    command: 'host leave',
    ...onHost(values),
    credentialsFile: values.credentials,
    stopsVirtualMachines: values['stop-vms'] === true,
    isRemoved: values.removed === true,
  };
}

function parseRevoke(args: readonly string[]): Command {
  const { values, positionals } = parse(args, { ...COMMON, ...WITH_CREDENTIALS, force: { type: 'boolean' } });
  const [host, ...others] = positionals;
  if (host === undefined || others.length > 0) throw usageError('Name one host, by its name or id');
  return {
    command: 'host revoke',
    host,
    credentialsFile: values.credentials,
    isForced: values.force === true,
    isJson: values.json === true,
  };
}

function parseToken(args: readonly string[]): Command {
  const values = parseOptions(args, {
    ...COMMON,
    ...WITH_CREDENTIALS,
    cluster: { type: 'string' },
    host: { type: 'string' },
    expiry: { type: 'string' },
  });
  if (values.cluster !== undefined && values.host !== undefined) {
    throw usageError('--cluster is for a new host, --host for one that is to have new keys: give one of them');
  }
  return {
    command: 'host token',
    cluster: values.cluster,
    host: values.host,
    expirySeconds: values.expiry,
    credentialsFile: values.credentials,
    isJson: values.json === true,
  };
}

function parseDoctor(args: readonly string[]): Command {
  const values = parseOptions(args, { ...ON_HOST, 'libvirt-uri': { type: 'string' } });
  return { command: 'doctor', ...onHost(values), libvirtUri: libvirtUri(values['libvirt-uri']) };
}

function parseMigrate(args: readonly string[]): Command {
  const values = parseOptions(args, COMMON);
  return { command: 'migrate', isJson: values.json === true };
}

function parseCreateAdmin(args: readonly string[]): Command {
  const values = parseOptions(args, {
    ...COMMON,
    output: { type: 'string' },
    endpoint: { type: 'string' },
    force: { type: 'boolean' },
  });
  if (values.output === undefined) throw usageError('--output is missing: the file that the keys are written to');
  return {
    command: 'create-admin',
    output: path.resolve(values.output),
    endpoint: values.endpoint ?? 'http://127.0.0.1:8080/client/api',
    isForced: values.force === true,
    isJson: values.json === true,
  };
}

function parse<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The rest is advice about "--".
    throw usageError((error as Error).message.split('. ')[0]!, error);
  }
}

/** For a command that takes nothing but options. */
function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  const { values, positionals } = parse(args, options);
  // Not which: whoever forgets the option's name may have typed a token.
  if (positionals.length > 0) throw usageError('There is a word without an option');
  return values;
}

interface HostValues {
  'config-dir'?: string;
  'state-dir'?: string;
  'unit-dir'?: string;
  unit?: string;
  json?: boolean;
}

const UNIT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,100}$/;

function onHost(values: HostValues): OnHost {
  const unitName = values.unit ?? DEFAULT_PLACES.unitName;
  if (!UNIT_NAME.test(unitName)) throw usageError('--unit has to be the name of a service, without .service');
  return {
    isJson: values.json === true,
    places: {
      configDirectory: path.resolve(values['config-dir'] ?? DEFAULT_PLACES.configDirectory),
      stateDirectory: path.resolve(values['state-dir'] ?? DEFAULT_PLACES.stateDirectory),
      unitDirectory: path.resolve(values['unit-dir'] ?? DEFAULT_PLACES.unitDirectory),
      unitName,
    },
  };
}

function withToken(
  values: HostValues & { gateway?: string; token?: string; ca?: string; 'allow-http'?: boolean },
): WithToken {
  if (values.gateway === undefined) throw usageError('--gateway is missing: the URL of the installation');
  if (values.token === undefined) throw usageError('--token is missing: an admin makes one with slipway host token');
  return {
    ...onHost(values),
    gateway: values.gateway,
    token: values.token,
    certificateFile: values.ca,
    allowsHttp: values['allow-http'] === true,
  };
}

const libvirtUri = (text: string | undefined): string =>
  text ?? (process.geteuid?.() === 0 ? 'qemu:///system' : 'qemu:///session');
