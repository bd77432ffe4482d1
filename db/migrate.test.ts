import { sql } from 'drizzle-orm';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import type { Database } from './client.js';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = database);
});
afterAll(() => database.drop());

const isSomebodyWaiting = async (): Promise<boolean> => {
  const [row] = await db.execute<{ isWaiting: boolean }>(sql`
    select exists (
      select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
    ) as "isWaiting"`);
  return row!.isWaiting;
};

describe('a migration that has every table to itself', () => {
  it.each([
    ['account', 'vm_template'],
    ['vm_template', 'account'],
    ['async_job', 'vm_instance'],
    ['vm_instance', 'async_job'],
  ])('ends nobody who has written to %s and goes on to write to %s', async (first, second) => {
    const write = (table: string) => sql.raw(`lock table ${table} in row exclusive mode`);
    let migrated: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await tx.execute(write(first));
      migrated = db.transaction((other) => other.execute(sql`select lock_all_tables()`));
      await waitFor('it waits for the first table', isSomebodyWaiting, 4_000, 5);
      await tx.execute(write(second));
    });
    await migrated;
  });
});
