import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { joinHost } from '../db/join-host.js';
import { readHostConfig, writeHostConfig } from '../kvm/host-config.js';
import { generateKeyPair } from '../kvm/keystore/sealed-box.js';
import { isRoot } from './state-directory.js';

/** A KVM host that runs on this machine beside others, each with a directory, a pool and a key of its own. */
export interface LocalHost {
  id: string;
  name: string;
  configPath: string;
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

/** Makes the host known to the database and writes its `host.json`. The same name gives the same host again. */
export async function joinLocalHost(options: JoinLocalHostOptions): Promise<LocalHost> {
  const { databaseUrl, installationId, clusterId, name } = options;
  await makeReachable(join(options.stateDirectory, 'hosts'));
  const directory = await makeReachable(join(options.stateDirectory, 'hosts', name));
  const poolPath = await makeReachable(join(directory, 'pool'));
  const consoleDirectory = await makeReachable(join(directory, 'console'));
  const tokenDirectory = join(directory, 'tokens');
  await mkdir(tokenDirectory, { recursive: true, mode: 0o700 });

  const configPath = join(directory, 'host.json');
  // The key outlives restarts: what is sealed to it waits in running workflows.
  const keyPair = (await exists(configPath)) ? (await readHostConfig(configPath)).keyPair : await generateKeyPair();
  const { hostId, poolId } = await joinHost(databaseUrl, { name, clusterId, publicKey: keyPair.publicKey, poolPath });
  const libvirtUri = isRoot() ? 'qemu:///system' : 'qemu:///session';
  await writeHostConfig(configPath, {
    installationId,
    hostId,
    name,
    libvirtUri,
    pools: [{ poolId, path: poolPath }],
    consoleDirectory,
    tokenDirectory,
    keyPair,
  });
  return { id: hostId, name, configPath, poolId, poolPath, consoleDirectory, libvirtUri };
}
