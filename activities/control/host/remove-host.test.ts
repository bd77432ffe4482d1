import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { host, storagePool, templateSpoolRef, user, vmInstance, volumes } from '../../../db/schema/index.js';
import { generateKeyPair } from '../../../kvm/keystore/sealed-box.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { removeHost } from './remove-host.js';

describe('removeHost', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('takes the pool of a host with it, and the disk there that a restore had replaced before the host died', async () => {
    const { db, databaseUrl, seeded } = database;
    const client = { workflow: { getHandle: () => ({ signal: () => Promise.resolve() }) } } as unknown as Client;
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
});
