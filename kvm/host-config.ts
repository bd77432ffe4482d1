import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { SlipwayError } from '../shared/errors.js';
import { POOL_TYPES, type PoolPlace, type PoolType } from '../shared/hosts.js';
import type { KeyPair } from './keystore/sealed-box.js';

/** What makes a process the worker of one host: `host.json`, written when the host joins. Paths are absolute. */
export interface HostConfig {
  installationId: string;
  hostId: string;
  name: string;
  /** Its name when it joined, when that was another one: whoever runs the same command again calls it so. */
  joinedAs?: string | undefined;
  libvirtUri: string;
  /** A pool without `type` in the file is a Filesystem. */
  pools: PoolPlace[];
  consoleDirectory: string;
  tokenDirectory: string;
  /** Of the certificates trusted for downloads; without it in the file, `certificates` beside `tokenDirectory`. */
  certificateDirectory: string;
  keyPair: KeyPair;
  /** Accepted beside it: see `keyPairsOf`. */
  furtherKeyPairs?: FurtherKeyPair[] | undefined;
  /** The Linux bridge that guests of L2 networks without a VLAN are attached to. */
  guestBridge?: string | undefined;
  /** The interface on which VLANs of guests arrive tagged: a network card, a bond, or the bridge itself. */
  guestVlanInterface?: string | undefined;
  /** `http://[user:password@]host[:port]`, through which HTTP servers of images are reached. User info is a secret. */
  proxyUrl?: string | undefined;
}

export interface FurtherKeyPair extends KeyPair {
  /** ISO 8601; missing for one that is about to be the host's. */
  until?: string | undefined;
}

/**
 * The keys that a host opens sealed fields with, its own first: one that the control plane may have been told of already,
 * and those that orders under way were sealed to.
 */
export const keyPairsOf = (config: HostConfig, nowMs: number): [KeyPair, ...KeyPair[]] => [
  config.keyPair,
  ...(withoutExpiredKeys(config, nowMs).furtherKeyPairs ?? []),
];

/** The same configuration when none has expired. */
export function withoutExpiredKeys(config: HostConfig, nowMs: number): HostConfig {
  const { furtherKeyPairs = [] } = config;
  const accepted = furtherKeyPairs.filter(({ until }) => until === undefined || Date.parse(until) > nowMs);
  return accepted.length === furtherKeyPairs.length ? config : { ...config, furtherKeyPairs: accepted };
}

/** @throws SlipwayError SLIPWAY_INTERNAL saying which field is wrong; never with a value, one of them is a secret key */
export async function readHostConfig(path: string): Promise<HostConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(path, `it cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the cause: JSON.parse quotes the text around the error.
    throw invalid(path, 'it is not JSON');
  }
  return parseHostConfig(value, path);
}

/** @throws SlipwayError SLIPWAY_INTERNAL as `readHostConfig` would, had the file this content */
export function parseHostConfig(value: unknown, path: string): HostConfig {
  const root = fields(value, path, 'the document');
  const pools = root('pools');
  if (!Array.isArray(pools) || pools.length === 0) throw invalid(path, 'pools must be a list with at least one pool');
  const tokenDirectory = absolutePath(root('tokenDirectory'), path, 'tokenDirectory');
  return {
    installationId: text(root('installationId'), path, 'installationId'),
    hostId: text(root('hostId'), path, 'hostId'),
    name: text(root('name'), path, 'name'),
    joinedAs: root('joinedAs') === undefined ? undefined : text(root('joinedAs'), path, 'joinedAs'),
    libvirtUri: text(root('libvirtUri'), path, 'libvirtUri'),
    pools: pools.map((pool: unknown, index) => {
      const field = fields(pool, path, `pools[${index}]`);
      return {
        poolId: text(field('poolId'), path, `pools[${index}].poolId`),
        type: poolType(field('type') ?? 'Filesystem', path, `pools[${index}].type`),
        path: absolutePath(field('path'), path, `pools[${index}].path`),
      };
    }),
    consoleDirectory: absolutePath(root('consoleDirectory'), path, 'consoleDirectory'),
    tokenDirectory,
    certificateDirectory: absolutePath(
      root('certificateDirectory') ?? join(dirname(tokenDirectory), 'certificates'),
      path,
      'certificateDirectory',
    ),
    keyPair: keyPairOf(root('keyPair'), path, 'keyPair'),
    furtherKeyPairs: furtherKeyPairs(root('furtherKeyPairs'), path),
    guestBridge: interfaceName(root('guestBridge'), path, 'guestBridge'),
    guestVlanInterface: interfaceName(root('guestVlanInterface'), path, 'guestVlanInterface'),
    proxyUrl: proxyUrl(root('proxyUrl'), path),
  };
}

function keyPairOf(value: unknown, path: string, name: string): KeyPair {
  const field = fields(value, path, name);
  return {
    publicKey: text(field('publicKey'), path, `${name}.publicKey`),
    secretKey: text(field('secretKey'), path, `${name}.secretKey`),
  };
}

function furtherKeyPairs(value: unknown, path: string): FurtherKeyPair[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalid(path, 'furtherKeyPairs must be a list');
  return value.map((pair: unknown, index) => {
    const name = `furtherKeyPairs[${index}]`;
    const until = fields(pair, path, name)('until');
    if (until !== undefined && (typeof until !== 'string' || Number.isNaN(Date.parse(until)))) {
      throw invalid(path, `${name}.until must be a time`);
    }
    return { ...keyPairOf(pair, path, name), ...(until !== undefined && { until }) };
  });
}

function fields(value: unknown, path: string, name: string): (key: string) => unknown {
  if (typeof value !== 'object' || value === null) throw invalid(path, `${name} must be an object`);
  return (key) => (value as Record<string, unknown>)[key];
}

function text(value: unknown, path: string, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(path, `${name} must be a text that is not empty`);
}

function absolutePath(value: unknown, path: string, name: string): string {
  const result = text(value, path, name);
  if (!isAbsolute(result)) throw invalid(path, `${name} must be an absolute path`);
  return result;
}

function poolType(value: unknown, path: string, name: string): PoolType {
  const type = POOL_TYPES.find((known) => known === value);
  if (!type) throw invalid(path, `${name} must be one of ${POOL_TYPES.join(', ')}`);
  return type;
}

/** As the kernel allows it, and nothing that `ip` could take for an option. */
const INTERFACE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/;

function interfaceName(value: unknown, path: string, name: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && INTERFACE_NAME.test(value))) return value;
  throw invalid(path, `${name} must be the name of a network interface`);
}

function proxyUrl(value: unknown, path: string): string | undefined {
  if (value === undefined) return undefined;
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'http:' && `${url.pathname}${url.search}${url.hash}` === '/') return url.href;
  throw invalid(path, 'proxyUrl must be an http URL without a path');
}

const invalid = (path: string, reason: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_INTERNAL', `The host file ${path} is not usable: ${reason}`, { cause });
