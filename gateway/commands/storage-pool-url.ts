import type { PoolType } from '../../shared/hosts.js';
import { invalid } from '../protocol/invalid.js';

export interface StoragePoolAddress {
  type: PoolType;
  /** Server of a NetworkFilesystem; id of the host whose own a Filesystem is. */
  hostAddress: string | null;
  /** Absolute, without a slash at its end. */
  path: string;
}

/** CloudStack's schemes. */
const TYPES: Readonly<Record<string, PoolType>> = {
  'nfs:': 'NetworkFilesystem',
  'sharedmountpoint:': 'SharedMountPoint',
  'file:': 'Filesystem',
  'filesystem:': 'Filesystem',
};

/**
 * @param text `nfs://<server>/<path>`, `SharedMountPoint://localhost/<path>` or `filesystem://<id of a host>/<path>`
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function parseStoragePoolUrl(text: string): StoragePoolAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const type = url && TYPES[url.protocol];
  if (!url || !type) {
    throw invalid('The URL of a storage pool begins with nfs://, SharedMountPoint:// or filesystem://');
  }
  // What is shown to everybody who may list pools is no place for a password.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalid('The URL of a storage pool has a host and a path, and nothing else');
  }
  const path = decoded(url.pathname).replace(/\/+$/, '');
  if (!path.startsWith('/')) throw invalid('host or path is null, should be nfs://hostname/path');
  if (type === 'SharedMountPoint') return { type, hostAddress: null, path };
  if (url.host === '') {
    throw invalid(
      type === 'Filesystem'
        ? "A Filesystem is one host's own: give scope=HOST and filesystem://<id of the host>/<path>"
        : 'host or path is null, should be nfs://hostname/path',
    );
  }
  return { type, hostAddress: url.host, path };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid('The path in the URL of the storage pool is not encoded as a URL is');
  }
}
