import type { HostJoinRequest } from '../../shared/host-join.js';
import { SlipwayError } from '../../shared/errors.js';
import { HOST_NAME_RULE, isHostName } from '../../shared/host-name.js';
import { POOL_TYPES, type PoolPlace } from '../../shared/hosts.js';

const MAX_POOLS = 64;
const MAX_PATH_LENGTH = 4096;
const KEY_BYTES = 32;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ARCH = /^[a-z0-9_]{1,32}$/;
const TOKEN_LENGTH = 200;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID naming the field, never with the token */
export function parseJoinRequest(body: unknown): HostJoinRequest {
  const { name, hostId, publicKey, arch, pools, ...rest } = fieldsOf(body);
  return {
    token: parseToken(rest),
    // What more is asked of the name of a new host is known once the token has said whether it is one.
    name: text('name', name, isHostName, HOST_NAME_RULE),
    hostId: hostId === undefined ? undefined : text('hostId', hostId, (value) => UUID.test(value), 'a UUID'),
    publicKey: text('publicKey', publicKey, isKey, `${KEY_BYTES} bytes in base64`),
    arch: text('arch', arch, (value) => ARCH.test(value), 'an architecture, such as x86_64'),
    pools: parsePools(pools),
  };
}

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function parseToken(body: unknown): string {
  return text('token', fieldsOf(body)['token'], (value) => value.length <= TOKEN_LENGTH, 'a token');
}

function parsePools(pools: unknown): PoolPlace[] {
  if (!Array.isArray(pools) || pools.length === 0 || pools.length > MAX_POOLS) {
    throw invalid('pools', `a list of 1 to ${MAX_POOLS} pools`);
  }
  const parsed = pools.map((pool: unknown, index) => {
    const { poolId, type, path } = fieldsOf(pool);
    const known = POOL_TYPES.find((name) => name === type);
    if (!known) throw invalid(`pools[${index}].type`, `one of ${POOL_TYPES.join(', ')}`);
    return {
      poolId: text(`pools[${index}].poolId`, poolId, (value) => UUID.test(value), 'a UUID'),
      type: known,
      path: text(`pools[${index}].path`, path, isPath, 'an absolute path'),
    };
  });
  if (new Set(parsed.map(({ poolId }) => poolId)).size < parsed.length)
    throw invalid('pools', 'a list of different pools');
  return parsed;
}

const isKey = (value: string): boolean => {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === KEY_BYTES && bytes.toString('base64') === value;
};

const isPath = (value: string): boolean =>
  value.startsWith('/') && value.length <= MAX_PATH_LENGTH && !value.includes('\0');

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'The body has to be a JSON object');
}

function text(name: string, value: unknown, isRight: (value: string) => boolean, what: string): string {
  if (typeof value === 'string' && value !== '' && isRight(value)) return value;
  throw invalid(name, what);
}

const invalid = (name: string, what: string): SlipwayError =>
  new SlipwayError('SLIPWAY_PARAMETER_INVALID', `${name} has to be ${what}`);
