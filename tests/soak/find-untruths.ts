import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { and, eq, inArray, isNull, ne, sql } from 'drizzle-orm';
import { directDownloadCertificate, host, templateSpoolRef, vmInstance, volumes } from '../../db/schema/index.js';
import { listCertificateHosts } from '../../db/reads/list-certificates.js';
import type { ProvingGround } from '../support/proving-ground.js';

const run = promisify(execFile);

/**
 * What of VMs, disks and hosts is otherwise than the database says, while no job is under way.
 *
 * @returns one line for each
 */
export async function findUntruths(ground: ProvingGround): Promise<string[]> {
  const { db } = ground;
  const vms = await db
    .select({ vm: vmInstance, isoPath: templateSpoolRef.installPath, rootState: volumes.state })
    .from(vmInstance)
    .innerJoin(volumes, and(eq(volumes.instanceId, vmInstance.id), isNull(volumes.removed)))
    .leftJoin(templateSpoolRef, eq(templateSpoolRef.id, vmInstance.isoSpoolRefId))
    .where(ne(vmInstance.state, 'Expunged'));
  const domains = await ground.domains();
  const found: string[] = [];
  for (const { vm, isoPath, rootState } of vms) {
    const { id, state } = vm;
    const isAlive = domains.includes(id);
    if (['Starting', 'Stopping', 'Expunging'].includes(state)) found.push(`VM ${id} is ${state} and no job is left`);
    if (isAlive !== (state === 'Running')) found.push(`VM ${id} is ${state}, its domain ${isAlive ? 'alive' : 'not'}`);
    // Of a VM that has no disk yet an ISO comes to a pool when it is started.
    const isStaged = rootState === 'Ready' && state !== 'Destroyed';
    if (isStaged && (vm.isoId === null) !== (isoPath === null)) {
      found.push(`VM ${id} is ${state} and has ISO ${vm.isoId}, of which the copy is ${isoPath}`);
    }
    const inDrive = isAlive && state === 'Running' ? await discOf(ground, id) : isoPath;
    if (inDrive !== isoPath) found.push(`VM ${id} has ${isoPath} in its drive, and libvirt ${inDrive}`);
  }
  return [...found, ...(await wrongDisks(ground)), ...(await wrongKeystores(ground)), ...(await hostsOff(ground))];
}

/** The name of the file in the drive of a domain; null when it is empty. */
async function discOf({ libvirtd }: ProvingGround, vmId: string): Promise<string | null> {
  const { stdout } = await run('virsh', ['-q', '-c', libvirtd.uri, 'domblklist', '--details', vmId]);
  const [, source = '-'] = /\scdrom\s+sda\s+(\S+)/.exec(stdout) ?? [];
  return source === '-' ? null : source.slice(source.lastIndexOf('/') + 1);
}

/** VMs that may be started have the file of their disk; nothing else is to be removed any more. */
async function wrongDisks({ db, test }: ProvingGround): Promise<string[]> {
  const files = new Set<string>();
  for (const { poolPath } of test.installation.hosts) for (const name of await readdir(poolPath)) files.add(name);
  const disks = await db
    .select({ volume: volumes, state: vmInstance.state })
    .from(volumes)
    .innerJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
    .where(and(isNull(volumes.removed), inArray(vmInstance.state, ['Running', 'Stopped', 'Destroyed'])));
  const lost = disks
    .filter(({ volume }) => volume.state === 'Ready' && !files.has(volume.path!))
    .map(({ volume, state }) => `the disk ${volume.path} of a VM that is ${state} is not there`);
  const leaving = await db
    .select()
    .from(volumes)
    .where(and(sql`${volumes.removed} is not null`, ne(volumes.state, 'Expunged')));
  return [...lost, ...leaving.map(({ id }) => `volume ${id} was replaced and is still to be removed`)];
}

/** Every host has the certificates that it should have, and has said so. */
async function wrongKeystores({ db, test }: ProvingGround): Promise<string[]> {
  const found: string[] = [];
  const certificates = await db.select().from(directDownloadCertificate);
  const said = await listCertificateHosts(
    db,
    certificates.map(({ id }) => id),
  );
  for (const { map, status, hostName } of said) {
    if (status === 'PENDING' || status === 'FAILED') {
      found.push(`certificate ${map.certificateId} is ${status} on ${hostName}: ${map.reason ?? 'not confirmed'}`);
    }
  }
  const rows = said.map(({ map }) => map);
  for (const { id: hostId, name, configPath } of test.installation.hosts) {
    const isWanted = ({ id, revoked }: (typeof certificates)[number]): boolean => {
      const own = rows.find((row) => row.certificateId === id && row.hostId === hostId);
      return !(own?.revoked ?? revoked);
    };
    const wanted = certificates.filter(isWanted).map(({ fingerprint }) => `${fingerprint}.pem`);
    const { certificateDirectory } = JSON.parse(await readFile(configPath, 'utf8')) as { certificateDirectory: string };
    const names = await readdir(certificateDirectory).catch((): string[] => []);
    const has = names.filter((file) => file.endsWith('.pem'));
    if (wanted.toSorted().join() !== has.toSorted().join()) {
      found.push(`host ${name} has the certificates ${has.join(', ')}, and should have ${wanted.join(', ')}`);
    }
  }
  return found;
}

const hostsOff = async ({ db }: ProvingGround): Promise<string[]> =>
  (await db.select().from(host))
    .filter(({ status, resourceState }) => status !== 'Up' || resourceState !== 'Enabled')
    .map(({ name, status, resourceState }) => `host ${name} is ${status} and ${resourceState}`);
