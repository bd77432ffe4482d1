import { rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HostConfig, readHostConfig } from '../../kvm/host-config.js';
import { SlipwayError } from '../../shared/errors.js';
import type { CloudStackClient } from '../cloudstack-client.js';
import { createAdminClient } from './admin-client.js';
import type { LeaveCommand } from './commands.js';
import { emptyPool } from './empty-pool.js';
import { type HostPlaces, hostPlaces } from './host-places.js';
import { isSystemdRunning, systemctl } from './systemctl.js';

const DRAIN_TIMEOUT_MS = 30 * 60_000;
const LOOK_EVERY_MS = 2_000;

interface Left {
  hostId: string;
  /** Directories of pools that are left as they are. */
  keptPools: string[];
  text: string;
}

/**
 * Takes this host out of the installation, with the keys of an admin or after an admin has done it, and removes what makes
 * this machine a host. Disks of virtual machines, and shared pools, are left alone.
 */
export async function leave(command: LeaveCommand): Promise<Left> {
  const places = hostPlaces(command.places);
  const config = await readHostConfig(places.configPath);
  if (!command.isRemoved) await removeFromInstallation(config, command);
  await removeService(places);
  const keptPools: string[] = [];
  for (const pool of config.pools) if (!(await emptyPool(pool))) keptPools.push(pool.path);
  for (const file of [places.environmentPath, places.joiningPath]) await rm(file, { force: true });
  const { consoleDirectory, tokenDirectory, certificateDirectory } = config;
  const started = path.join(path.dirname(tokenDirectory), 'started');
  for (const directory of [consoleDirectory, tokenDirectory, certificateDirectory, started]) {
    await rm(directory, { recursive: true, force: true });
  }
  // Last: when it was cut short, the next run finds by it what is left to remove.
  await rm(places.configPath, { force: true });
  return {
    hostId: config.hostId,
    keptPools,
    text:
      `Host ${config.name} has left. Its configuration, its keys and its service are removed.\n` +
      (keptPools.length > 0 ? `Left as they are, with what is on them: ${keptPools.join(', ')}\n` : '') +
      'Take its credentials of Temporal away, there.\n',
  };
}

async function removeFromInstallation(config: HostConfig, command: LeaveCommand): Promise<void> {
  const client = await adminClient(config, command);
  const self = await find(client, config.hostId);
  if (!self) {
    // It may as well be a host of another installation, which runs on there and would have lost its keys.
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `The installation of these keys has no host ${config.hostId} (${config.name}). Give the keys of an admin of its ` +
        'own; or, when it was deleted there, run slipway host leave --removed',
    );
  }
  if (self['resourcestate'] !== 'Maintenance') await drain(client, config, command);
  await client.call('deleteHost', { id: config.hostId });
}

async function adminClient({ hostId, name }: HostConfig, { credentialsFile }: LeaveCommand): Promise<CloudStackClient> {
  try {
    return await createAdminClient(credentialsFile);
  } catch (error) {
    if (credentialsFile !== undefined) throw error;
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      `Only an admin can take host ${name} out of the installation. Give --credentials FILE with the keys of one; or ` +
        `have an admin call prepareHostForMaintenance id=${hostId} and, when it is in Maintenance, deleteHost ` +
        `id=${hostId}, and then run slipway host leave --removed here`,
    );
  }
}

async function find(client: CloudStackClient, id: string): Promise<Record<string, unknown> | undefined> {
  const { host = [] } = (await client.call('listHosts', { id })) as { host?: Record<string, unknown>[] };
  return host[0];
}

async function drain(
  client: CloudStackClient,
  { hostId, name }: HostConfig,
  { stopsVirtualMachines }: LeaveCommand,
): Promise<void> {
  const { jobid } = (await client.call('prepareHostForMaintenance', {
    id: hostId,
    stopvirtualmachines: stopsVirtualMachines,
  })) as { jobid: string };
  const { host } = (await client.waitForJob(jobid, { timeoutMs: DRAIN_TIMEOUT_MS })) as {
    host?: { virtualmachines?: { name: string }[] };
  };
  const left = host?.virtualmachines ?? [];
  if (left.length > 0 && !stopsVirtualMachines) {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `Host ${name} takes no new work, and still runs ${left.map((vm) => vm.name).join(', ')}: stop them, or leave with ` +
        '--stop-vms. cancelHostMaintenance takes it back',
    );
  }
  const deadlineMs = performance.now() + DRAIN_TIMEOUT_MS;
  while ((await find(client, hostId))?.['resourcestate'] !== 'Maintenance') {
    if (performance.now() > deadlineMs) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Host ${name} is not in Maintenance yet: try again later`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function removeService({ unitPath, unitName }: HostPlaces): Promise<void> {
  if (!existsSync(unitPath)) return;
  if (isSystemdRunning()) await systemctl(['disable', '--now', unitName]);
  await rm(unitPath, { force: true });
  if (isSystemdRunning()) await systemctl(['daemon-reload']);
}
