import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { defaultSettings } from '../shared/settings.js';
import { gate } from '../tests/support/gate.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import { createDomain, renameDomain } from './domains.js';
import { findDefaultAdmin } from './reads/find-login.js';
import { requireRoom } from './require-room.js';
import { addTags } from './resource-tags.js';
import { retireDomain } from './retire-domain.js';
import { account, domain, resourceLimit, user } from './schema/index.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Keeps the row of a domain from others. */
function hold(id: string): { release: () => Promise<void> } {
  const { opened, open } = gate();
  const held = database.db.transaction(async (tx) => {
    await tx.select({ id: domain.id }).from(domain).where(eq(domain.id, id)).for('no key update');
    await opened;
  });
  return { release: () => (open(), held) };
}

const isLocked = async (id: string): Promise<boolean> => {
  const free = await database.db.select({ id: domain.id }).from(domain).where(eq(domain.id, id)).for('share', {
    skipLocked: true,
  });
  return free.length === 0;
};

const areWaiting = (count: number) =>
  waitFor(`${count} wait for a lock`, async () => {
    const rows = await database.db.execute(
      sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length === count;
  });

test('a rename and what counts for the limits of domains below do not wait for each other', async () => {
  const { db } = database;
  const root = (await findDefaultAdmin(db))!;
  const top = await createDomain(db, root, { name: 'top', parentId: root.domainId });
  const middle = await createDomain(db, root, { name: 'middle', parentId: top });
  const low = await createDomain(db, root, { name: 'low', parentId: middle });
  for (const domainId of [middle, low]) await db.insert(resourceLimit).values({ domainId, type: 'user_vm', max: 9 });
  const [owner] = await db.insert(account).values({ accountName: 'a', type: 'User', domainId: low }).returning();
  // Its row is behind that of the lower one now, and an update of both would come to it last.
  await renameDomain(db, root, middle, 'centre');
  const [ofMiddle, ofLow] = [hold(middle), hold(low)];
  await waitFor('both are held', async () => (await isLocked(middle)) && (await isLocked(low)));
  const renamed = renameDomain(db, root, top, 'summit');
  await areWaiting(1);
  const counted = db.transaction((tx) => requireRoom(tx, { accountId: owner!.id }, ['user_vm'], defaultSettings()));
  await areWaiting(2);
  await ofMiddle.release();
  await waitFor('somebody else has it', () => isLocked(middle));
  await ofLow.release();
  await expect(Promise.all([renamed, counted])).resolves.toBeDefined();
});

test('a domain that goes and who gives its users tags do not wait for each other', async () => {
  const { db } = database;
  const root = (await findDefaultAdmin(db))!;
  const id = await createDomain(db, root, { name: 'going', parentId: root.domainId });
  const [owner] = await db.insert(account).values({ accountName: 'b', type: 'User', domainId: id }).returning();
  const ids = [randomUUID(), randomUUID()].toSorted();
  // In no order of theirs does the one with the lower id come first.
  for (const [n, userId] of ids.toReversed().entries()) {
    const row = { id: userId, username: `going-${n}`, password: 'none', accountId: owner!.id, domainId: id };
    await db.insert(user).values(row);
  }
  let retired: Promise<void> | undefined;
  await db.transaction(async (tx) => {
    await tx.select().from(user).where(eq(user.id, ids[0]!)).for('no key update');
    retired = db.transaction((other) => retireDomain(other, root, id, { withContents: true }));
    await areWaiting(1);
    await addTags(tx, root, { type: 'User', ids }, { tags: [{ key: 'team', value: 'blue' }] });
  });
  await expect(retired).resolves.toBeUndefined();
});
