import type { Client } from '@temporalio/client';
import { sql } from 'drizzle-orm';
import type { Database } from '../../db/client.js';

/** All text in a value, that in the bytes of payloads included. */
function textsOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(textsOf).join('\n');
  return String(value);
}

/** Whatever Temporal keeps of all workflows, as its Web UI can show it: histories, and current details. */
export async function historyTexts(client: Client): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    // A workflow that was terminated answers no query.
    const details: unknown = await handle.query('__temporal_workflow_metadata').catch(() => undefined);
    texts.push(type, textsOf(await handle.fetchHistory()), textsOf(details), JSON.stringify(await handle.describe()));
  }
  return texts.join('\n');
}

/** Every row of every table, as text. */
export async function databaseTexts(db: Database): Promise<string> {
  const tables = await db.execute<{ name: string }>(
    sql`select quote_ident(table_name) as name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await db.execute<{ row: string }>(sql.raw(`select t::text as row from ${name} t`));
    texts.push(name, ...rows.map(({ row }) => row));
  }
  return texts.join('\n');
}
