import path from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

/** Any number; the same for every process that migrates. */
const MIGRATION_LOCK = 7_091_146;

/** From the source tree and from `dist/`: the build leaves SQL files where they are. */
const migrationsFolder = (): string => {
  const here = import.meta.dirname;
  const root = path.basename(path.dirname(here)) === 'dist' ? path.join(here, '..', '..') : path.join(here, '..');
  return path.join(root, 'db', 'migrations');
};

/**
 * Brings the schema up to date. Safe to call from several processes at once: drizzle's migrator takes no lock of its
 * own, and without this one three of four concurrent starters die with 23505.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => undefined, connect_timeout: 10 });
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await runMigrations(drizzle(client, { casing: 'snake_case' }), { migrationsFolder: migrationsFolder() });
  } finally {
    await client.end({ timeout: 5 });
  }
}
