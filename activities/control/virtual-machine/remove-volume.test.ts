import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { asyncJob, host, storagePoolHostRef, vmInstance, volumes } from '../../../db/schema/index.js';
import { generateKeyPair } from '../../../kvm/keystore/sealed-box.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { planVolumeRemoval } from './remove-volume.js';

describe('the removal of a disk that was replaced, on a pool that a host cannot use', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is asked of another host of the pool, also when the VM runs on the first', async () => {
    const { db, databaseUrl, seeded } = database;
    const scenario = new Scenario({ ...database, client: {} as Client } as ControlPlane);
    const poolId = crypto.randomUUID();
    const hostIds: string[] = [];
    for (const name of ['host-1', 'host-2']) {
      const pools = [{ poolId, type: 'NetworkFilesystem', path: '/pool' } as const];
      const { publicKey } = await generateKeyPair();
      const { hostId } = await joinHost(databaseUrl, { name, clusterId: seeded.clusterId, publicKey, pools });
      hostIds.push(hostId);
    }
    await db.update(host).set({ status: 'Up' });
    const [sick, well] = hostIds as [string, string];
    await db.update(storagePoolHostRef).set({ problem: 'it is read-only' }).where(eq(storagePoolHostRef.hostId, sick));
    const { vmId } = await scenario.vm(await scenario.template());
    await db.delete(asyncJob);
    await db.update(vmInstance).set({ state: 'Running', hostId: sick }).where(eq(vmInstance.id, vmId));
    const removed = new Date().toISOString();
    const [dead] = await db.update(volumes).set({ state: 'Ready', path: 'disk', poolId, removed }).returning();
    expect(await planVolumeRemoval({ db })({ volumeId: dead!.id })).toMatchObject({
      outcome: 'planned',
      removal: { hostId: well },
    });
  });
});
