import { performance } from 'node:perf_hooks';
import { and, count, eq, inArray, ne, sql } from 'drizzle-orm';
import {
  asyncJob,
  capacityClaim,
  host,
  JOB_STATUS,
  stageWaiter,
  templateSpoolRef,
  vmInstance,
} from '../../../db/schema/index.js';
import { CONTROL_TASK_QUEUE } from '../../../shared/task-queues.js';
import { vmWorkflowId } from '../../../shared/workflow-ids.js';
import { waitFor } from '../../../tests/support/wait-for.js';
import { atOnce } from './at-once.js';
import { type Fleet, type HerdPlane, PATIENCE_MS } from './herd-plane.js';
import { readHistory, type WorkflowCost } from './read-history.js';

export interface Deployed {
  vmIds: string[];
  elapsedMs: number;
}

const LOOK_EVERY_MS = 200;

/** API calls at once, as of so many clients. */
export const CALLERS = 20;

export async function registerTemplate({ api, origin, seeded }: HerdPlane): Promise<string> {
  const { ostype } = (await api.call('listOsTypes')) as { ostype: { id: string }[] };
  const { template } = (await api.call('registerTemplate', {
    name: 'herd',
    displaytext: 'herd',
    format: 'QCOW2',
    hypervisor: 'KVM',
    url: origin.url,
    zoneid: seeded.zoneId,
    ostypeid: ostype[0]!.id,
    directdownload: true,
  })) as { template: { id: string }[] };
  return template[0]!.id;
}

/**
 * Deploys through the API, and waits until all run. With `isHeld` no download ends before every deployment waits for
 * one.
 *
 * @throws Error when one of them failed
 */
export async function deployMany(
  plane: HerdPlane,
  { templateId, deployments, isHeld }: { templateId: string; deployments: number; isHeld: boolean },
): Promise<Deployed> {
  const { api, db, seeded, offering, origin } = plane;
  const { running: before } = await countVms(plane, templateId);
  if (isHeld) origin.hold();
  const startedMs = performance.now();
  const call = async (): Promise<string> => {
    const parameters = { zoneid: seeded.zoneId, serviceofferingid: offering.id, templateid: templateId };
    const { id } = (await api.call('deployVirtualMachine', parameters)) as { id: string };
    return id;
  };
  const vmIds = await atOnce(CALLERS, Array.from({ length: deployments }).fill(0), call);
  if (isHeld) {
    const isHeldForAll = async (): Promise<boolean> => {
      const waiting = db.select({ waiters: count() }).from(stageWaiter).where(eq(stageWaiter.state, 'Waiting'));
      return (await waiting)[0]?.waiters === deployments;
    };
    await waitFor('every deployment waits', isHeldForAll, PATIENCE_MS, LOOK_EVERY_MS);
    origin.letGo();
  }
  const haveAllStarted = async (): Promise<boolean> => {
    const { running, failed } = await countVms(plane, templateId);
    if (failed > 0) throw new Error(`${failed} deployments failed`);
    return running - before === deployments;
  };
  await waitFor('all run', haveAllStarted, PATIENCE_MS, LOOK_EVERY_MS);
  return { vmIds, elapsedMs: performance.now() - startedMs };
}

/** Of a template. Seldom, and by an index: who measures must not be what is measured. */
async function countVms({ db }: HerdPlane, templateId: string): Promise<{ running: number; failed: number }> {
  const [row] = await db
    .select({
      running: sql<number>`count(*) filter (where ${vmInstance.state} = 'Running')::int`,
      failed: sql<number>`count(*) filter (where ${vmInstance.state} = 'Error')::int`,
    })
    .from(vmInstance)
    .where(eq(vmInstance.templateId, templateId));
  return row!;
}

/** @throws Error when a job has not succeeded, a pool has downloaded twice, or capacities do not add up */
export async function checkFleet(
  { db, origin }: HerdPlane,
  fleet: Fleet,
  { templateId, vmIds }: { templateId: string; vmIds: string[] },
): Promise<void> {
  const hostIds = fleet.hosts.map(({ id }) => id);
  const check = (what: string, actual: unknown, expected: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(expected))
      throw new Error(`${what}: ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`);
  };
  const jobs = await db
    .select({ jobs: count() })
    .from(asyncJob)
    .where(and(inArray(asyncJob.instanceId, vmIds), ne(asyncJob.jobStatus, JOB_STATUS.succeeded)));
  check('jobs that have not succeeded', jobs[0]?.jobs, 0);
  const copies = await db
    .select({ poolId: templateSpoolRef.poolId, state: templateSpoolRef.state })
    .from(templateSpoolRef)
    .where(eq(templateSpoolRef.templateId, templateId));
  check('states of the copies', [...new Set(copies.map(({ state }) => state))], ['Ready']);
  check('pools that have the template', copies.map(({ poolId }) => poolId).sort(), fleet.poolIds.toSorted());
  check('downloads', origin.ended(), fleet.poolIds.length);

  const claims = await db.select().from(capacityClaim).where(inArray(capacityClaim.hostId, hostIds));
  const domains = await fleet.domains();
  for (const self of await db.select().from(host).where(inArray(host.id, hostIds))) {
    const own = claims.filter(({ hostId }) => hostId === self.id);
    check(
      `MHz claimed of ${self.name}`,
      self.cpuUsedMhz,
      own.reduce((sum, { cpuMhz }) => sum + cpuMhz, 0),
    );
    check(
      `memory claimed of ${self.name}`,
      self.ramUsedBytes,
      own.reduce((sum, { ramBytes }) => sum + ramBytes, 0),
    );
    check(`domains of ${self.name}`, domains[self.id]?.toSorted(), own.map(({ vmId }) => vmId).sort());
    check(`${self.name} is full to the last MHz`, self.cpuUsedMhz, self.cpus * self.speedMhz);
  }
}

/** What each deployment took of Temporal. */
export async function costsOf({ client }: HerdPlane, vmIds: readonly string[]): Promise<WorkflowCost[]> {
  return atOnce(CALLERS, vmIds, async (vmId) => {
    const handle = client.workflow.getHandle(vmWorkflowId(vmId));
    await handle.result();
    return readHistory(await handle.fetchHistory(), CONTROL_TASK_QUEUE);
  });
}
