import { eq, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { apiCount } from './schema/index.js';

interface CallLeave {
  /** Calls that may be made now; none when all are taken. */
  granted: number;
  /** Calls of the account that there is leave for in the present interval, these included. */
  taken: number;
  /** Until the next interval begins. */
  remainingMs: number;
}

interface Asked {
  accountId: string;
  /** Calls; 0 to look only. */
  wanted: number;
  /** Calls of the account in an interval. */
  max: number;
  intervalMs: number;
}

/**
 * Takes leave for calls of an account in the present interval, of which no two gateways are given the same. Intervals go by
 * the database's clock, and are the same for all accounts.
 */
export async function takeCalls(
  db: Pick<Database, 'execute'>,
  { accountId, wanted, max, intervalMs }: Asked,
): Promise<CallLeave> {
  const nowMs = sql`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`;
  const presentInterval = sql`${nowMs} / ${intervalMs}::bigint`;
  // The clock is read once the row is this call's: one that has waited for it begins no interval again that is over. Any other
  // number is of another interval, a larger one too: the clock was set back, or intervals were shorter.
  // Not to wait for the disk: what a crash takes back is leave for the calls of one interval.
  const [row] = await db.execute<{ after: number; remainingMs: number }>(sql`
    insert into ${apiCount} as known (account_id, "interval", taken)
    select ${accountId}::uuid, ${presentInterval}, ${wanted}::int
    from (select set_config('synchronous_commit', 'off', true)) as quick
    on conflict (account_id) do update set (taken, "interval") = (
      select ${wanted}::int + case when known."interval" = present.number then least(known.taken, ${max}::int) else 0 end,
        present.number
      from (select ${presentInterval} as number) as present
    )
    returning taken as after,
      greatest(0, ("interval" + 1) * ${intervalMs}::bigint - ${nowMs})::int as "remainingMs"`);
  const { after, remainingMs } = row!;
  const before = after - wanted;
  return { granted: Math.max(0, Math.min(wanted, max - before)), taken: Math.min(after, max), remainingMs };
}

/** Lets an account, or all, begin at none. */
export async function forgetCalls(db: Pick<Database, 'delete'>, accountId?: string): Promise<void> {
  await db.delete(apiCount).where(accountId === undefined ? undefined : eq(apiCount.accountId, accountId));
}
