import { sql } from 'drizzle-orm';
import type { Database } from '../../db/client.js';

/**
 * What must hold at every moment, whatever runs and whatever is dead: each is one statement, and so one moment.
 *
 * @returns one line for each thing that does not hold
 */
export async function findViolations(db: Database): Promise<string[]> {
  const found = await Promise.all([
    db.execute(sql`
      select 'a VM is ' || v.state || ' and no job works on it: ' || v.id as violation
      from vm_instance v
      where v.state in ('Starting', 'Stopping', 'Expunging')
        and not exists (select from async_job j where j.instance_id = v.id and j.job_status = 0)`),
    db.execute(sql`
      select 'host ' || h.name || ' counts other CPU or memory than its claims' as violation
      from host h left join capacity_claim c on c.host_id = h.id
      group by h.id
      having h.cpu_used_mhz <> coalesce(sum(c.cpu_mhz), 0) or h.ram_used_bytes <> coalesce(sum(c.ram_bytes), 0)`),
    db.execute(sql`
      select 'pool ' || p.name || ' counts other disks than there are' as violation
      from storage_pool p
      where p.allocated_bytes <>
        coalesce((select sum(c.disk_bytes) from capacity_claim c where c.pool_id = p.id), 0) +
        coalesce((select sum(v.reserved_bytes) from volumes v where v.pool_id = p.id), 0)`),
    db.execute(sql`
      select 'pool ' || p.name || ' counts other templates than its copies' as violation
      from storage_pool p left join template_spool_ref t on t.pool_id = p.id
      group by p.id
      having p.template_bytes <> coalesce(sum(t.reserved_bytes), 0)`),
    db.execute(sql`
      select 'a Running VM holds no capacity: ' || v.id as violation
      from vm_instance v
      where v.state = 'Running'
        and not exists (select from capacity_claim c where c.vm_id = v.id and c.host_id = v.host_id and c.ram_bytes > 0)`),
  ]);
  return found.flatMap((rows) => [...rows].map(({ violation }) => String(violation)));
}
