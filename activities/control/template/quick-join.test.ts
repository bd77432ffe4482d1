import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { stageWaiter, templateSpoolRef, user } from '../../../db/schema/index.js';
import { addTemplate } from '../../../tests/support/add-template.js';
import { gate } from '../../../tests/support/gate.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { waitWithOthers } from './quick-join.js';

describe('waitWithOthers', () => {
  let database: TestDatabase;
  let place: { poolId: string; templateId: string };

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  beforeEach(async () => {
    const { db, databaseUrl, seeded } = database;
    const [admin] = await db.select().from(user).limit(1);
    const templateId = await addTemplate(database, admin!);
    const poolId = crypto.randomUUID();
    const pools = [{ poolId, path: '/pool', type: 'Filesystem' } as const];
    await joinHost(databaseUrl, { name: poolId, clusterId: seeded.clusterId, publicKey: 'none', pools });
    place = { poolId, templateId };
  });

  type Copy = typeof templateSpoolRef.$inferInsert;
  const addCopy = async (values: Partial<Copy>): Promise<string> => {
    const copy = { ...place, generation: 1, state: 'Downloading' as const, isWanted: true, ...values };
    return (await database.db.insert(templateSpoolRef).values(copy).returning())[0]!.id;
  };
  const request = () => ({ ...place, workflowId: crypto.randomUUID(), generation: 1 });
  const waiters = (spoolRefId: string) =>
    database.db.select().from(stageWaiter).where(eq(stageWaiter.spoolRefId, spoolRefId));

  it('waits for a copy that somebody waits for, and leaves what has looked before to joinStage', async () => {
    const spoolRefId = await addCopy({});
    const first = request();
    expect(await waitWithOthers(database.db, first)).toBe(true);
    expect(await waitWithOthers(database.db, first)).toBe(false);
    expect(await waiters(spoolRefId)).toMatchObject([
      { workflowId: first.workflowId, generation: 1, state: 'Waiting', failure: null },
    ]);
  });

  it.each<[string, Partial<Copy>]>([
    ['is only prestaged', { isWanted: false }],
    ['is there', { state: 'Ready', installPath: 'file' }],
    ['is of another generation', { generation: 2 }],
  ])('leaves a copy to joinStage that %s', async (_, values) => {
    const spoolRefId = await addCopy(values);
    expect(await waitWithOthers(database.db, request())).toBe(false);
    expect(await waiters(spoolRefId)).toEqual([]);
  });

  it('does not wait for a copy whose stage ends at that moment', async () => {
    const { db } = database;
    const spoolRefId = await addCopy({});
    const [locked, asked] = [gate(), gate()];
    const ending = db.transaction(async (tx) => {
      const isCopy = eq(templateSpoolRef.id, spoolRefId);
      await tx.select().from(templateSpoolRef).where(isCopy).for('update');
      locked.open();
      await asked.opened;
      await tx.update(templateSpoolRef).set({ state: 'Ready', installPath: 'file' }).where(isCopy);
    });
    await locked.opened;
    const joining = waitWithOthers(db, request());
    asked.open();
    await ending;
    expect(await joining).toBe(false);
    expect(await waiters(spoolRefId)).toEqual([]);
  });
});
