import { sql } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import type { Transaction } from '../dependencies.js';
import type { Factors } from '../planner/factors.js';

/**
 * Whether the cluster of a host may promise what it has promised, with what this transaction has just taken there. Of
 * several that take from hosts of one cluster at once, each has seen the same room: they take turns here, and see with a
 * statement of its own what the one before has taken.
 *
 * To be asked last, when nothing else is waited for: then nobody who has the turn can wait for who waits for it. It is no
 * row of the cluster for that reason either: a host that says hello has that before its pools, and a claim has them first.
 */
export async function fitsCluster(
  tx: Transaction,
  hostId: string,
  { cpu, memory, cluster }: Factors,
): Promise<boolean> {
  if (cluster.cpu >= 1 && cluster.memory >= 1) return true;
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(cluster_id::text, 0)) from ${host} where id = ${hostId}`,
  );
  const [row] = await tx.execute<{ fits: boolean }>(sql`
    select sum(cpu_used_mhz)::float8 <= sum(cpus::float8 * speed_mhz) * ${cpu}::float8 * ${cluster.cpu}::float8
      and sum(ram_used_bytes)::float8 <= sum(ram_bytes)::float8 * ${memory}::float8 * ${cluster.memory}::float8 as fits
    from ${host}
    where cluster_id = (select cluster_id from ${host} where id = ${hostId}) and removed is null`);
  return row!.fits;
}
