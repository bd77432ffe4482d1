import { eq } from 'drizzle-orm';
import { addTemplate } from '../tests/support/add-template.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import { createNetwork } from './networks.js';
import type { Caller } from './reads/find-caller.js';
import { dataCenter, serviceOffering, templateStoreRef, user, vmTemplate } from './schema/index.js';
import { activateTemplate } from './templates.js';
import { createVirtualMachine } from './virtual-machines.js';
import { createZone, removeZone } from './zones.js';

let database: TestDatabase;
let caller: Caller;
let templateId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const [admin] = await database.db.select().from(user).limit(1);
  const { id: userId, accountId, domainId } = admin!;
  caller = { userId, accountId, domainId, domainPath: '/', role: 'Admin' };
  templateId = await addTemplate(database, { accountId });
});
afterAll(() => database.drop());

async function deploy(zoneId: string) {
  const { db } = database;
  const [offering] = await db.select().from(serviceOffering).limit(1);
  const { accountId } = caller;
  const vm = { accountId, zoneId, templateId, serviceOfferingId: offering!.id };
  return db.transaction((tx) => createVirtualMachine(tx, vm));
}

async function isOneWaiting(): Promise<boolean> {
  const [row] = await database.db.execute<{ count: string }>(
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
  );
  return row!.count === '1';
}

const network = { name: 'n', displayText: 'n', accountId: null, vlan: null, mayOverlap: false };

it.each<[string, (zoneId: string) => Promise<unknown>]>([
  ['a network', (zoneId) => createNetwork(database.db, caller, { ...network, zoneId })],
  ['a virtual machine', deploy],
  ['a template', (zoneId) => activateTemplate(database.db, { templateId, zoneIds: [zoneId] })],
])('should put %s into no zone that is being deleted', async (_, put) => {
  const { db } = database;
  const zoneId = await createZone(db, caller, { name: crypto.randomUUID() });
  let late: Promise<unknown> | undefined;
  await db.transaction(async (tx) => {
    await tx.select().from(dataCenter).where(eq(dataCenter.id, zoneId)).for('update');
    late = put(zoneId).then(
      () => 'it is in the zone',
      (error: unknown) => error,
    );
    await waitFor('it waits', isOneWaiting);
    await tx.update(dataCenter).set({ removed: new Date().toISOString() }).where(eq(dataCenter.id, zoneId));
  });
  expect(await late).toMatchObject({ code: 'SLIPWAY_RESOURCE_STATE', message: 'The zone was deleted' });
});

it('should delete a zone while a template is deleted from it, and neither waits for the other for ever', async () => {
  const { db } = database;
  const zoneId = await createZone(db, caller, { name: crypto.randomUUID() });
  const id = await addTemplate(database, caller, { zoneIds: [zoneId, database.seeded.zoneId] });
  let zone: Promise<unknown> | undefined;
  await db.transaction(async (tx) => {
    await tx.select().from(vmTemplate).where(eq(vmTemplate.id, id)).for('update');
    zone = removeZone(db, caller, zoneId);
    await waitFor('it waits', isOneWaiting);
    await tx.update(templateStoreRef).set({ state: 'Destroyed' }).where(eq(templateStoreRef.templateId, id));
  });
  expect(await zone).toBe(true);
});
