import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { and, count, eq, inArray, isNull } from 'drizzle-orm';
import { type CloudStackClient, createCloudStackClient } from '../../../cli/cloudstack-client.js';
import { type Database, openDatabase } from '../../../db/client.js';
import { seed, type SeedResult } from '../../../db/seed.js';
import { host, serviceOffering, storagePool } from '../../../db/schema/index.js';
import { type Installation, startInstallation } from '../../../embedded/installation.js';
import { pickInstallationPorts } from '../../../embedded/installation-ports.js';
import { joinLocalHost, type LocalHost } from '../../../embedded/join-host.js';
import { createTemporaryStateDirectory } from '../../../embedded/state-directory.js';
import { hostWorkflowId } from '../../../shared/workflow-ids.js';
import { waitFor } from '../../../tests/support/wait-for.js';
import { BUILT_DIRECTORY } from '../slipway.js';
import { run } from '../contest.js';
import { type HeldOrigin, startHeldOrigin } from './held-origin.js';
import type { HostsAnswer, HostsOptions, HostsQuestion } from './hosts-process.js';
import type { VmSize } from './simulated-libvirt.js';
import { DISK_BYTES } from './simulated-pool.js';
import { startTalkingProcess } from './talking-process.js';

/** For what a thousand deployments take on a small machine. */
export const PATIENCE_MS = 300_000;

/** A whole installation but for its KVM hosts. */
export interface HerdPlane {
  installation: Installation;
  api: CloudStackClient;
  db: Database;
  client: Client;
  seeded: SeedResult;
  origin: HeldOrigin;
  offering: { id: string; size: VmSize };
  stop(): Promise<void>;
}

export async function startHerdPlane(): Promise<HerdPlane> {
  const state = await createTemporaryStateDirectory();
  const installation = await startInstallation({
    state,
    programs: BUILT_DIRECTORY,
    env: process.env,
    ports: await pickInstallationPorts(1),
    hosts: 0,
    controlWorkers: 1,
    settings: { 'secstorage.allowed.internal.sites': '127.0.0.0/8' },
    isRestarted: false,
  });
  try {
    return await connectTo(installation, await state.secretKey());
  } catch (error) {
    await installation.destroy();
    throw error;
  }
}

async function connectTo(installation: Installation, secretKeyBase64: string): Promise<HerdPlane> {
  const { endpoint, apiKey, secretKey } = installation.credentials;
  // What is there already is given back.
  const seeded = await seed(installation.databaseUrl, { secretKeyBase64 });
  const image = await emptyImage();
  const { db, close } = openDatabase(installation.databaseUrl, { applicationName: 'slipway-bench', max: 2 });
  const [small] = await db.select().from(serviceOffering).where(eq(serviceOffering.name, 'Small Instance'));
  const connection = await Connection.connect({ address: installation.temporalAddress });
  const origin = await startHeldOrigin(image);
  return {
    installation,
    api: createCloudStackClient({ endpoint, apiKey, secretKey }),
    db,
    client: new Client({ connection }),
    seeded,
    origin,
    offering: {
      id: small!.id,
      size: { cpuMhz: small!.cpu * small!.speedMhz, memoryBytes: small!.ramMb * 1024 ** 2 },
    },
    async stop() {
      await origin.stop();
      await connection.close();
      await close();
      await installation.destroy();
    },
  };
}

async function emptyImage(): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const path = join(directory, 'image.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, String(DISK_BYTES)]);
    return await readFile(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Hosts of a zone that have room for exactly so many VMs. */
export interface Fleet {
  hosts: LocalHost[];
  poolIds: string[];
  /** Of the process of all of them. */
  pid: number;
  vmsPerHost(vms: number): Promise<void>;
  domains(): Promise<HostsAnswer['domains']>;
  retire(): Promise<void>;
}

export interface FleetOptions {
  hosts: number;
  isPoolShared: boolean;
  vmsPerHost: number;
}

export async function joinFleet(plane: HerdPlane, { hosts, isPoolShared, vmsPerHost }: FleetOptions): Promise<Fleet> {
  const { installation, db, client, seeded, offering } = plane;
  // Simulated hosts are to cost no disk; where there is no file system in memory, they do.
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const directory = await mkdtemp(join(parent, 'slipway-bench-'));
  const joined: LocalHost[] = [];
  for (let index = 1; index <= hosts; index++) {
    joined.push(
      await joinLocalHost({
        stateDirectory: directory,
        databaseUrl: installation.databaseUrl,
        installationId: seeded.installationId,
        clusterId: seeded.clusterId,
        name: `simulated-${index}-${randomUUID()}`,
        isPoolShared,
      }),
    );
  }
  const worker = await startTalkingProcess('hosts-process.ts', {
    address: installation.temporalAddress,
    configPaths: joined.map(({ configPath }) => configPath),
    vmsPerHost,
    size: offering.size,
  } satisfies HostsOptions);
  const ids = joined.map(({ id }) => id);
  const poolIds = [...new Set(joined.map(({ poolId }) => poolId))];
  const haveRoom = (vms: number) => {
    const isSo = async (): Promise<boolean> => {
      const [row] = await db
        .select({ hosts: count() })
        .from(host)
        .where(and(inArray(host.id, ids), eq(host.status, 'Up'), eq(host.cpus, vms)));
      return row?.hosts === hosts;
    };
    return waitFor(`all hosts are Up with room for ${vms}`, isSo, PATIENCE_MS);
  };
  const domains = async () => (await worker.ask<HostsAnswer>({} satisfies HostsQuestion)).domains;
  const fleet: Fleet = {
    hosts: joined,
    poolIds,
    pid: worker.pid,
    domains,
    async vmsPerHost(vms) {
      await worker.ask({ vmsPerHost: vms } satisfies HostsQuestion);
      await haveRoom(vms);
    },
    async retire() {
      await Promise.all(
        ids.map((id) => client.workflow.getHandle(hostWorkflowId(id)).terminate('the benchmark is over')),
      );
      await worker.stop();
      const removed = new Date().toISOString();
      await db.update(host).set({ status: 'Removed', removed }).where(inArray(host.id, ids));
      await db
        .update(storagePool)
        .set({ removed })
        .where(and(inArray(storagePool.id, poolIds), isNull(storagePool.removed)));
      await rm(directory, { recursive: true });
    },
  };
  try {
    await haveRoom(vmsPerHost);
    return fleet;
  } catch (error) {
    await fleet.retire();
    throw error;
  }
}
