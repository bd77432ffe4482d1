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

/** Watches PostgreSQL until it is told to stop. */
export function watchDatabase(databaseUrl: string): { stop: () => Promise<DatabaseLoad> } {
  const sql = postgres(databaseUrl, { max: 1, connection: { application_name: 'slipway-bench' } });
  const totals = async () => {
    const [row] = await sql<{ commits: string; rolled_back: string; deadlocks: string }[]>`
      select xact_commit as commits, xact_rollback as rolled_back, deadlocks
      from pg_stat_database where datname = current_database()`;
    return { commits: Number(row?.commits), rolledBack: Number(row?.rolled_back), deadlocks: Number(row?.deadlocks) };
  };
  const ending = new AbortController();
  const samples: number[] = [];
  const sample = async () => {
    const before = await totals();
    while (!ending.signal.aborted) {
      const [row] = await sql<{ blocked: number }[]>`
        select count(distinct pid)::int as blocked from pg_locks where not granted`;
      samples.push(row?.blocked ?? 0);
      await sleep(SAMPLE_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    }
    return before;
  };
  const sampling = sample();
  return {
    async stop() {
      ending.abort();
      const before = await sampling;
      const after = await totals();
      await sql.end();
      return {
        mostBlocked: Math.max(0, ...samples),
        meanBlocked: samples.reduce((sum, blocked) => sum + blocked, 0) / Math.max(1, samples.length),
        deadlocks: after.deadlocks - before.deadlocks,
        rolledBack: after.rolledBack - before.rolledBack,
        commits: after.commits - before.commits,
      };
    },
  };
}
