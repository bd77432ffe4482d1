import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { capacityClaim, host, storagePool, vmInstance } from '../../../db/schema/index.js';
import type { DomainReport, HostStatus, PoolPlace } from '../../../shared/hosts.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { recordHostStatus } from './host.js';

/** Whoever has one machine says for it what he likes. */
describe('what a host says', () => {
  let database: TestDatabase;
  let client: ControlPlane['client'];
  const pools = { honest: ownPool(), liar: ownPool() };
  let hostIds: { honest: string; liar: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    client = {} as ControlPlane['client'];
    const join = async (name: 'honest' | 'liar') => {
      const joined = { name, clusterId: database.seeded.clusterId, publicKey: name, pools: [pools[name]] };
      return (await joinHost(database.databaseUrl, joined)).hostId;
    };
    hostIds = { honest: await join('honest'), liar: await join('liar') };
    await database.db.update(host).set({ status: 'Up', cpus: 4, speedMhz: 1000, ramBytes: 1000 });
    await database.db.update(storagePool).set({ capacityBytes: 10_000 });
  });
  afterAll(() => database.drop());

  const say = (said: { pools?: PoolPlace[]; domains?: DomainReport[] }) => {
    const facts = {
      bootId: 'b',
      arch: 'x86_64',
      cpus: 4,
      cpuSpeedMhz: 1000,
      memoryBytes: 1000,
      domainType: 'kvm',
      hypervisorVersion: 'QEMU',
      pools: (said.pools ?? []).map((pool) => ({ ...pool, capacityBytes: 1, usedBytes: 1 })),
    } as const;
    const status: HostStatus = { facts: { ...facts, pools: [...facts.pools] }, domains: said.domains ?? [] };
    return recordHostStatus({ ...database, client })({ hostId: hostIds.liar, status });
  };

  it('tells nothing of pools that it does not have', async () => {
    await say({ pools: [pools.honest, pools.liar] });
    const sizes = await database.db
      .select({ id: storagePool.id, capacityBytes: storagePool.capacityBytes })
      .from(storagePool);
    expect(Object.fromEntries(sizes.map(({ id, capacityBytes }) => [id, capacityBytes]))).toEqual({
      [pools.honest.poolId]: 10_000,
      [pools.liar.poolId]: 1,
    });
  });

  it('frees nothing that a VM holds of another host', async () => {
    const { db } = database;
    const scenario = new Scenario({ ...database, client } as ControlPlane);
    const { vmId, job } = await scenario.vm(await scenario.template());
    await db.execute(`update async_job set job_status = 1, completed = now() where id = '${job.id}'`);
    const claim = { vmId, poolId: pools.honest.poolId, cpuMhz: 500, ramBytes: 10, diskBytes: 0 };
    await db.insert(capacityClaim).values({ ...claim, token: 4, hostId: hostIds.honest });
    await db
      .update(vmInstance)
      .set({ state: 'Running', hostId: hostIds.honest, fenceToken: 4 })
      .where(eq(vmInstance.id, vmId));
    expect(await say({ domains: [{ vmId, state: 'Running', token: 4 }] })).toEqual([]);
    // One of an earlier try is its own, and has to end.
    expect(await say({ domains: [{ vmId, state: 'Running', token: 2 }] })).toMatchObject([{ vmId, token: 2 }]);
  });
});

function ownPool(): PoolPlace {
  return { poolId: crypto.randomUUID(), type: 'Filesystem', path: '/pool' };
}
