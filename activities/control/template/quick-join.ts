import { sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import { stageWaiter, templateSpoolRef, volumes } from '../../../db/schema/index.js';
import type { StageRequest } from '../../../shared/templates.js';
import type { Deployment } from '../../../shared/virtual-machines.js';

/**
 * What `joinStage` would do when the pool has the copy, as it has for most deployments, and for those that were told so:
 * there is nothing to join. One statement: whoever evicts waits for its lock of the copy, and who else takes the copy does
 * not.
 *
 * @returns its file name below the pool, or null when there is something to wait for
 */
export async function takeReadyCopy(
  db: Pick<Database, 'execute'>,
  {
    poolId,
    templateId,
    generation,
    volumeId,
    token,
    workflowId,
  }: Pick<Deployment, 'poolId' | 'templateId' | 'generation' | 'volumeId' | 'token'> & Pick<StageRequest, 'workflowId'>,
): Promise<string | null> {
  // A disk that is there stands on what it was made from, whatever workflow was reset since.
  const [taken] = await db.execute<{ installPath: string }>(sql`
    with taken as (
      update ${volumes} set pool_id = ${poolId}, template_spool_ref_id = copy.id, token = ${token}
      from (
        select id, install_path from ${templateSpoolRef}
        where pool_id = ${poolId} and template_id = ${templateId} and generation = ${generation} and state = 'Ready'
        for key share
      ) copy
      where ${volumes.id} = ${volumeId} and ${volumes.state} = 'Allocated'
      returning copy.install_path
    ), no_longer_waiting as (
      delete from ${stageWaiter} where workflow_id = ${workflowId} and exists (select from taken)
    )
    select install_path as "installPath" from taken`);
  return taken?.installPath ?? null;
}

/**
 * What `joinStage` would do for the first look of all but the first who want a copy: somebody waits for it already, and
 * one more does. One statement: a stage that ends waits for its lock of the copy, and who else joins does not.
 *
 * @returns false when there is something else to do, or this waiter has looked before
 */
export async function waitWithOthers(
  db: Pick<Database, 'execute'>,
  {
    workflowId,
    poolId,
    templateId,
    generation,
  }: Pick<StageRequest, 'workflowId' | 'poolId' | 'templateId' | 'generation'>,
): Promise<boolean> {
  const waiting = await db.execute(sql`
    with copy as (
      select id from ${templateSpoolRef}
      where pool_id = ${poolId} and template_id = ${templateId} and generation = ${generation}
        and state in ('Allocated', 'Downloading') and is_wanted
      for share
    )
    insert into ${stageWaiter} (workflow_id, spool_ref_id, generation, state)
    select ${workflowId}, id, ${generation}::int, 'Waiting' from copy
    on conflict (workflow_id) do nothing
    returning workflow_id`);
  return waiting.length > 0;
}
