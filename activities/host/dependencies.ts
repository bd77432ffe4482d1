import type { Bandwidth } from '../../kvm/download/bandwidth.js';
import type { StartedDomains } from '../../kvm/fence/started-domains.js';
import type { TokenStore } from '../../kvm/fence/token-store.js';
import type { LibvirtDriver } from '../../kvm/hypervisor/libvirt-driver.js';
import type { CertificateStore } from '../../kvm/keystore/certificate-store.js';
import type { HostKeys } from '../../kvm/keystore/host-keys.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import { SlipwayError } from '../../shared/errors.js';

/** Built once, in `workers/host-worker.ts`. */
export interface HostDependencies {
  /** New at every start of the process. */
  bootId: string;
  keys: HostKeys;
  /** Programs and libraries that this host lacks for some images or networks. */
  missingTools: string[];
  /** Why programs that read images run without namespaces of their own now; undefined while they have them. */
  confinementProblem: () => string | undefined;
  /** The address that Temporal is reached from, if that is known. */
  ipAddress?: string | undefined;
  libvirt: LibvirtDriver;
  pools: ReadonlyMap<string, FilesystemPool>;
  tokens: TokenStore;
  started: StartedDomains;
  /** What image servers are checked against. */
  certificates: CertificateStore;
  /** Rates of all downloads of this host. */
  bandwidth: Bandwidth;
  /** Through which image servers are reached. */
  proxy?: URL | undefined;
}

export function poolOf({ pools }: Pick<HostDependencies, 'pools'>, poolId: string): FilesystemPool {
  const pool = pools.get(poolId);
  if (!pool) throw new SlipwayError('SLIPWAY_POOL_IO', `Pool ${poolId} is not in this host's configuration`);
  return pool;
}
