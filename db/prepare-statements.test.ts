import { eq, inArray, sql } from 'drizzle-orm';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { type Database, openDatabase } from './client.js';
import { configuration } from './schema/index.js';

describe('statements of a connection', () => {
  let database: TestDatabase;
  let db: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    database = await createTestDatabase();
    ({ db, close } = openDatabase(database.databaseUrl, { applicationName: 'test', max: 1 }));
  });
  afterAll(async () => {
    await close();
    await database.drop();
  });

  const prepared = async (text: string): Promise<number> => {
    const [row] = await db.execute<{ count: number }>(
      sql.raw(`select count(*)::int as count from pg_prepared_statements where statement like '%${text}%'`),
    );
    return row?.count ?? 0;
  };

  it('are prepared once, in transactions and savepoints too', async () => {
    const read = (from: Pick<Database, 'select'>) =>
      from.select({ name: configuration.name }).from(configuration).where(eq(configuration.name, 'none'));
    await read(db);
    await db.transaction(async (tx) => {
      await read(tx);
      await tx.transaction((savepoint) => read(savepoint));
    });
    expect(await prepared('"configuration"."name" = $1')).toBe(1);
  });

  it('are not kept when they have a long list', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `setting-${index}`);
    expect(await db.select().from(configuration).where(inArray(configuration.name, names))).toEqual([]);
    expect(await prepared('$100')).toBe(0);
  });

  it('leave nothing of a transaction that fails', async () => {
    const fail = db.transaction(async (tx) => {
      await tx.insert(configuration).values({ name: 'left', value: 'over' });
      throw new Error('no');
    });
    await expect(fail).rejects.toThrow('no');
    expect(await db.select().from(configuration).where(eq(configuration.name, 'left'))).toEqual([]);
  });
});
