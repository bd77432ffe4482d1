import { eq, sql } from 'drizzle-orm';
import { findDefaultAdmin } from '../../../db/reads/find-login.js';
import { joinHost } from '../../../db/join-host.js';
import { serviceOffering, vmInstance } from '../../../db/schema/index.js';
import { createVirtualMachine } from '../../../db/virtual-machines.js';
import { addTemplate } from '../../../tests/support/add-template.js';
import { createTestDatabase } from '../../../tests/support/test-database.js';
import { waitFor } from '../../../tests/support/wait-for.js';
import { followDomains } from './follow-domains.js';

test('machines that end together are taken in one order, as by who puts tags on them: neither waits for the other', async () => {
  const database = await createTestDatabase();
  const { db, seeded } = database;
  const { accountId } = (await findDefaultAdmin(db))!;
  const pool = { poolId: crypto.randomUUID(), type: 'Filesystem' as const, path: '/pool' };
  const joined = { name: 'host-1', clusterId: seeded.clusterId, publicKey: 'key', pools: [pool] };
  const { hostId } = await joinHost(database.databaseUrl, joined);
  const [offering] = await db.select().from(serviceOffering).limit(1);
  const templateId = await addTemplate(database, { accountId });
  const [first, second] = ['10000000-0000-4000-8000-000000000000', '20000000-0000-4000-8000-000000000000'] as const;
  // The table has the second before the first.
  for (const id of [second, first]) {
    const vm = { id, accountId, zoneId: seeded.zoneId, templateId, serviceOfferingId: offering!.id };
    await createVirtualMachine(db, vm);
    await db.update(vmInstance).set({ state: 'Running', hostId }).where(eq(vmInstance.id, id));
  }
  const take = (tx: Pick<typeof db, 'select'>, id: string) =>
    tx.select().from(vmInstance).where(eq(vmInstance.id, id)).for('no key update');
  const isWaited = async (): Promise<boolean> => {
    const [row] = await db.execute<{ isWaited: boolean }>(sql`select exists (
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    ) as "isWaited"`);
    return row!.isWaited;
  };

  const { followed } = await db.transaction(async (tx) => {
    await take(tx, first);
    const ended = [first, second].map((vmId) => ({ vmId, token: 0, state: 'Stopped' as const }));
    const following = db.transaction((other) => followDomains(other, hostId, ended));
    following.catch(() => undefined);
    await waitFor('the host is followed', isWaited);
    await take(tx, second);
    return { followed: following };
  });
  await followed;
  expect(await db.select({ state: vmInstance.state }).from(vmInstance)).toEqual([
    { state: 'Stopped' },
    { state: 'Stopped' },
  ]);
  await database.drop();
});
