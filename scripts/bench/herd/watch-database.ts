import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

const SAMPLE_MS = 100;

export interface DatabaseLoad {
  /** Transactions that waited for a lock of another: at most, and on average, as seen ten times a second. */
  mostBlocked: number;
  meanBlocked: number;
  deadlocks: number;
  rolledBack: number;
  commits: number;
}

/** What PostgreSQL had to do while `act` ran. */
export async function withDatabaseLoad<Result>(
  databaseUrl: string,
  act: () => Promise<Result>,
): Promise<{ result: Result; load: DatabaseLoad }> {
  const sql = postgres(databaseUrl, { max: 1, connection: { application_name: 'slipway-bench' } });
  const ending = new AbortController();
  try {
    const before = await totals(sql);
    const [result, samples] = await Promise.all([
      act().finally(() => ending.abort()),
      sampleBlocked(sql, ending.signal),
    ]);
    const after = await totals(sql);
    const load = {
      mostBlocked: Math.max(0, ...samples),
      meanBlocked: samples.reduce((sum, blocked) => sum + blocked, 0) / Math.max(1, samples.length),
      deadlocks: after.deadlocks - before.deadlocks,
      rolledBack: after.rolledBack - before.rolledBack,
      commits: after.commits - before.commits,
    };
    return { result, load };
  } finally {
    await sql.end();
  }
}

async function totals(sql: postgres.Sql) {
  const [row] = await sql<{ commits: string; rolled_back: string; deadlocks: string }[]>`
    select xact_commit as commits, xact_rollback as rolled_back, deadlocks
    from pg_stat_database where datname = current_database()`;
  return { commits: Number(row?.commits), rolledBack: Number(row?.rolled_back), deadlocks: Number(row?.deadlocks) };
}

async function sampleBlocked(sql: postgres.Sql, signal: AbortSignal): Promise<number[]> {
  const samples: number[] = [];
  while (!signal.aborted) {
    const [row] = await sql<{ blocked: number }[]>`
      select count(distinct pid)::int as blocked from pg_locks where not granted`;
    samples.push(row?.blocked ?? 0);
    await sleep(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
  }
  return samples;
}
