import { chmod, mkdir, stat } from 'node:fs/promises';
import { machine } from 'node:os';
import { join } from 'node:path';
import { joinHost } from '../db/join-host.js';
import { readHostConfig } from '../kvm/host-config.js';
import { writeHostConfig } from '../kvm/write-host-config.js';
import { generateKeyPair } from '../kvm/keystore/sealed-box.js';
import { claimPoolDirectory } from '../kvm/storage/pool-marker.js';
import type { PoolPlace } from '../shared/hosts.js';
import { isRoot } from './state-directory.js';

/** A KVM host that runs on this machine beside others, each with a directory, a pool and a key of its own. */
export interface LocalHost {
  id: string;
  name: string;
  configPath: string;
  /** Its first pool, and for most the only one. */
  poolId: string;
  poolPath: string;
  consoleDirectory: string;
  libvirtUri: string;
}

export interface JoinLocalHostOptions {
  stateDirectory: string;
  databaseUrl: string;
  installationId: string;
  clusterId: string;
  name: string;
  /** A host that joins for the first time gets the pool of all such hosts instead of one of its own. */
  isPoolShared: boolean;
  /** Default: this machine's own libvirt, the system's for root and the user's for others. */
  libvirtUri?: string | undefined;
}

/** libvirt's QEMU runs as another user and has to reach the disks in it. */
async function makeReachable(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o711);
  return path;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Makes the host known to the database and writes its `host.json`. The same directory gives the same host again.
 *
 * @throws SlipwayError SLIPWAY_HOST_REMOVED when that was deleted: others can be started all the same
 */
export async function joinLocalHost(options: JoinLocalHostOptions): Promise<LocalHost> {
  const { databaseUrl, installationId, clusterId, name } = options;
  await makeReachable(join(options.stateDirectory, 'hosts'));
  const directory = await makeReachable(join(options.stateDirectory, 'hosts', name));
  const consoleDirectory = await makeReachable(join(directory, 'console'));
  const tokenDirectory = join(directory, 'tokens');
  await mkdir(tokenDirectory, { recursive: true, mode: 0o700 });

  const configPath = join(directory, 'host.json');
  const known = (await exists(configPath)) ? await readHostConfig(configPath) : undefined;
  // The key outlives restarts: what is sealed to it waits in running workflows.
  const keyPair = known?.keyPair ?? (await generateKeyPair());
  const ownPool = { type: 'Filesystem', path: join(directory, 'pool') } as const;
  const sharedPool = { type: 'SharedMountPoint', path: join(options.stateDirectory, 'shared-pool') } as const;
  const places: NewPlace[] = known?.pools ?? [options.isPoolShared ? sharedPool : ownPool];
  const pools: PoolPlace[] = [];
  for (const place of places) {
    await makeReachable(place.path);
    pools.push({ ...place, poolId: await claimPoolDirectory(place.path, { ...place, installationId }) });
  }
  const { publicKey } = keyPair;
  const joining = { name, hostId: known?.hostId, clusterId, publicKey, arch: machine(), pools };
  const { hostId } = await joinHost(databaseUrl, joining);
  const libvirtUri = options.libvirtUri ?? (isRoot() ? 'qemu:///system' : 'qemu:///session');
  await writeHostConfig(configPath, {
    installationId,
    hostId,
    name,
    libvirtUri,
    pools,
    consoleDirectory,
    tokenDirectory,
    certificateDirectory: known?.certificateDirectory ?? join(directory, 'certificates'),
    keyPair,
    furtherKeyPairs: known?.furtherKeyPairs,
    // Set by hand: they have to outlive restarts.
    guestBridge: known?.guestBridge,
    guestVlanInterface: known?.guestVlanInterface,
    proxyUrl: known?.proxyUrl,
  });
  const [{ poolId, path: poolPath }] = pools as [PoolPlace];
  return { id: hostId, name, configPath, poolId, poolPath, consoleDirectory, libvirtUri };
}

/** Which pool a directory is, the directory itself says. */
type NewPlace = Omit<PoolPlace, 'poolId'> & Partial<Pick<PoolPlace, 'poolId'>>;
