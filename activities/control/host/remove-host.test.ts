import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { revokeHost } from '../../../db/revoke-host.js';
import {
  capacityClaim,
  cleanupDebt,
  host,
  storagePool,
  templateSpoolRef,
  user,
  vmInstance,
  volumes,
} from '../../../db/schema/index.js';
import { generateKeyPair } from '../../../kvm/keystore/sealed-box.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { removeHost } from './remove-host.js';

describe('removeHost', () => {
  let database: TestDatabase;

  const client = { workflow: { getHandle: () => ({ signal: () => Promise.resolve() }) } } as unknown as Client;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  it('takes the pool of a host with it, and the disk there that a restore had replaced before the host died', async () => {
    const { db, databaseUrl, seeded } = database;
    const scenario = new Scenario({ ...database, client } as ControlPlane);
    const templateId = await scenario.template();
    const poolId = crypto.randomUUID();
    const pools = [{ poolId, type: 'Filesystem', path: '/pool' } as const];
    const { publicKey } = await generateKeyPair();
    const { hostId } = await joinHost(databaseUrl, { name: 'host-1', clusterId: seeded.clusterId, publicKey, pools });
    await db.update(host).set({ status: 'Down', resourceState: 'Degraded' }).where(eq(host.id, hostId));
    const copy = { poolId, templateId, generation: 1, state: 'Ready', installPath: 'file' } as const;
    const [copyOf] = await db.insert(templateSpoolRef).values(copy).returning();
    const { vmId } = await scenario.vm(templateId);
    const removed = new Date().toISOString();
    await db.update(vmInstance).set({ state: 'Expunged', removed }).where(eq(vmInstance.id, vmId));
    const replaced = {
      state: 'Ready',
      path: 'disk',
      poolId,
      templateSpoolRefId: copyOf!.id,
      reservedBytes: 7,
    } as const;
    await db.update(volumes).set({ ...replaced, removed });
    await db.update(storagePool).set({ allocatedBytes: 7 });

    const [admin] = await db.select().from(user).limit(1);
    const caller = { accountId: admin!.accountId, userId: admin!.id };
    await removeHost({ ...database, client })({ hostId, isForced: true, ...caller });
    expect(await db.select().from(host)).toMatchObject([{ status: 'Removed' }]);
    expect(await db.select().from(storagePool)).toMatchObject([{ status: 'Removed', allocatedBytes: 0 }]);
    expect(await db.select().from(volumes)).toMatchObject([{ state: 'Expunged', reservedBytes: 0 }]);
    expect(await db.select().from(templateSpoolRef)).toEqual([]);
  });

  it('asks nobody to expunge a VM that has no disk there, but only a first start that the host should have undone', async () => {
    const { db, databaseUrl, seeded } = database;
    const scenario = new Scenario({ ...database, client } as ControlPlane);
    const templateId = await scenario.template();
    const poolId = crypto.randomUUID();
    const pools = [{ poolId, type: 'Filesystem', path: '/pool' } as const];
    const joining = { name: 'host-1', clusterId: seeded.clusterId, publicKey: 'key', pools };
    const { hostId } = await joinHost(databaseUrl, joining);
    await db
      .update(host)
      .set({ status: 'Down', resourceState: 'Degraded', cpuUsedMhz: 500, ramUsedBytes: 9 })
      .where(eq(host.id, hostId));
    await db.update(storagePool).set({ allocatedBytes: 7 });
    const copy = { poolId, templateId, generation: 1, state: 'Ready', installPath: 'file' } as const;
    const [copyOf] = await db.insert(templateSpoolRef).values(copy).returning();
    const vmId = await scenario.stoppedVm(templateId);
    await db.update(vmInstance).set({ fenceToken: 2, lastHostId: hostId }).where(eq(vmInstance.id, vmId));
    await db.update(volumes).set({ poolId, templateSpoolRefId: copyOf!.id, token: 2 });
    const tried = { vmId, token: 2, hostId };
    await db.insert(capacityClaim).values({ ...tried, poolId, cpuMhz: 500, ramBytes: 9, diskBytes: 7 });
    await db.insert(cleanupDebt).values({ ...tried, reason: 'silence', keepsDisk: false });

    const [admin] = await db.select().from(user).limit(1);
    const caller = { accountId: admin!.accountId, userId: admin!.id };
    await removeHost({ ...database, client })({ hostId, isForced: true, ...caller });
    expect(await db.select().from(host)).toMatchObject([{ status: 'Removed', cpuUsedMhz: 0, ramUsedBytes: 0 }]);
    expect(await db.select().from(storagePool)).toMatchObject([{ status: 'Removed' }]);
    expect(await db.select().from(vmInstance)).toMatchObject([{ id: vmId, state: 'Stopped' }]);
    expect(await db.select().from(volumes)).toMatchObject([
      { state: 'Allocated', poolId: null, templateSpoolRefId: null },
    ]);
    expect([...(await db.select().from(capacityClaim)), ...(await db.select().from(cleanupDebt))]).toEqual([]);
  });

  it('gives a disk on a shared pool to a host that will be back, rather than to one that was revoked', async () => {
    const { db, databaseUrl, seeded } = database;
    const scenario = new Scenario({ ...database, client } as ControlPlane);
    const templateId = await scenario.template();
    const poolId = crypto.randomUUID();
    const pools = [{ poolId, type: 'SharedMountPoint', path: '/pool' } as const];
    const [admin] = await db.select().from(user).limit(1);
    const caller = { accountId: admin!.accountId, userId: admin!.id };
    const join = async (name: string) =>
      (await joinHost(databaseUrl, { name, clusterId: seeded.clusterId, publicKey: 'key', pools })).hostId;
    const hostId = await join('gone');
    const revokedId = await join('a-revoked');
    const downId = await join('down');
    await db.update(host).set({ status: 'Down' });
    await revokeHost(db, caller, revokedId, false);
    const vmId = await scenario.stoppedVm(templateId);
    await db.insert(capacityClaim).values({ vmId, token: 2, hostId, poolId, cpuMhz: 0, ramBytes: 0, diskBytes: 7 });
    await db.update(storagePool).set({ allocatedBytes: 7 });
    await removeHost({ ...database, client })({ hostId, isForced: true, ...caller });
    expect(await db.select().from(capacityClaim)).toMatchObject([{ vmId, hostId: downId, diskBytes: 7 }]);
  });

  it('leaves a shared pool that an operator has made to the next host, with its templates', async () => {
    const { db, databaseUrl, seeded } = database;
    const scenario = new Scenario({ ...database, client } as ControlPlane);
    const templateId = await scenario.template();
    const pools = ['made', 'found'].map(
      (path) => ({ poolId: crypto.randomUUID(), type: 'NetworkFilesystem', path: `/${path}` }) as const,
    );
    const joining = { name: 'host-1', clusterId: seeded.clusterId, publicKey: 'key', pools };
    const { hostId } = await joinHost(databaseUrl, joining);
    const [made, found] = pools.map(({ poolId }) => poolId) as [string, string];
    await db.update(storagePool).set({ path: '/export' }).where(eq(storagePool.id, made));
    const copy = { templateId, generation: 1, state: 'Ready', installPath: 'file' } as const;
    await db.insert(templateSpoolRef).values([
      { ...copy, poolId: made },
      { ...copy, poolId: found },
    ]);
    await db.update(host).set({ status: 'Down' });
    const [admin] = await db.select().from(user).limit(1);
    const caller = { accountId: admin!.accountId, userId: admin!.id };
    await removeHost({ ...database, client })({ hostId, isForced: true, ...caller });
    const statusOf = async (id: string) =>
      (await db.select().from(storagePool).where(eq(storagePool.id, id)))[0]!.status;
    expect([await statusOf(made), await statusOf(found)]).toEqual(['Up', 'Removed']);
    expect(await db.select().from(templateSpoolRef)).toMatchObject([{ poolId: made }]);
  });
});
