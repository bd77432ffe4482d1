import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { guardTransactions } from './guard-transactions.js';
import { prepareStatements } from './prepare-statements.js';
import * as schema from './schema/index.js';

export type Database = PostgresJsDatabase<typeof schema>;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

export interface DatabaseHandle {
  db: Database;
  close: () => Promise<void>;
}

export interface DatabaseOptions {
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Connections. Keep it at or below the activity slots of the process. */
  max?: number;
}

export function openDatabase(url: string, options: DatabaseOptions): DatabaseHandle {
  const client = postgres(url, {
    max: options.max ?? 10,
    idle_timeout: 20,
    connect_timeout: 10,
    onnotice: () => undefined,
    connection: {
      application_name: options.applicationName,
      // A statement that hangs would hold an activity's slot and its locks until the activity times out.
      statement_timeout: 15_000,
      lock_timeout: 5_000,
      idle_in_transaction_session_timeout: 30_000,
    },
  });
  return {
    db: drizzle(prepareStatements(guardTransactions(client)), { schema, casing: 'snake_case' }),
    close: () => client.end({ timeout: 5 }),
  };
}
