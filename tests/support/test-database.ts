import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { type Database, openDatabase } from '../../db/client.js';
import { createSecretBox, type SecretBox } from '../../db/secret-box.js';
import type { SeedResult } from '../../db/seed.js';

export const TEST_SECRET_KEY = Buffer.alloc(32, 7).toString('base64');
export const TEST_SERVER_VARIABLE = 'SLIPWAY_TEST_SERVER';

export interface TestServer {
  databaseUrl: string;
  seeded: SeedResult;
}

export interface TestDatabase {
  databaseUrl: string;
  db: Database;
  secretBox: SecretBox;
  seeded: SeedResult;
  drop(): Promise<void>;
}

/** A migrated and seeded database of this test file's own, on the PostgreSQL of the test run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { databaseUrl: templateUrl, seeded } = JSON.parse(process.env[TEST_SERVER_VARIABLE] ?? '{}') as TestServer;
  const template = new URL(templateUrl);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const maintenanceUrl = Object.assign(new URL(templateUrl), { pathname: '/postgres' }).href;
  const administer = async (act: (sql: postgres.Sql) => Promise<unknown>): Promise<void> => {
    const sql = postgres(maintenanceUrl, { max: 1, onnotice: () => undefined });
    try {
      await act(sql);
    } finally {
      await sql.end();
    }
  };
  await administer((sql) => sql.unsafe(`create database ${name} template ${template.pathname.slice(1)}`));
  const databaseUrl = Object.assign(new URL(templateUrl), { pathname: `/${name}` }).href;
  const { db, close } = openDatabase(databaseUrl, { applicationName: 'slipway-test', max: 5 });
  return {
    databaseUrl,
    db,
    seeded,
    secretBox: await createSecretBox(TEST_SECRET_KEY),
    async drop() {
      await close();
      await administer((sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}
