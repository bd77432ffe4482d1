import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { createJob } from '../../../db/jobs.js';
import { joinHost } from '../../../db/join-host.js';
import { host, user } from '../../../db/schema/index.js';
import { hostStateWorkflowId } from '../../../shared/workflow-ids.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { createControlActivities } from '../index.js';

type Command = 'prepareHostForMaintenance' | 'declareHostAsDegraded';

describe('a host that is to be maintained', () => {
  let database: TestDatabase;
  let activities: ReturnType<typeof createControlActivities>;
  let admin: typeof user.$inferSelect;
  let hostId: string;

  beforeEach(async () => {
    database = await createTestDatabase();
    activities = createControlActivities({ ...database, client: {} as Client });
    [admin] = (await database.db.select().from(user).limit(1)) as [typeof admin];
    const joining = { name: 'host-1', clusterId: database.seeded.clusterId, publicKey: 'key', pools: [] };
    ({ hostId } = await joinHost(database.databaseUrl, joining));
    await database.db.update(host).set({ status: 'Up' });
  });
  afterEach(() => database.drop());

  /** What the activities of a new job take. */
  async function newJob(jobCmd: Command) {
    const { id: jobId } = await createJob(database.db, {
      accountId: admin.accountId,
      userId: admin.id,
      jobCmd,
      workflowType: jobCmd,
      workflowId: hostStateWorkflowId(hostId),
      workflowInput: {},
      instanceType: 'Host',
      instanceId: hostId,
    });
    return { hostId, jobId, stopsVirtualMachines: false };
  }
  const stateOf = async () => (await database.db.select().from(host).where(eq(host.id, hostId)))[0]!.resourceState;
  const failure = { code: 'SLIPWAY_RESOURCE_STATE', message: 'Host host-1 is Up' } as const;

  it.each<[Command, string]>([
    ['declareHostAsDegraded', 'PrepareForMaintenance'],
    ['prepareHostForMaintenance', 'ErrorInMaintenance'],
  ])('shows that it could not be drained, and not that something else was refused: %s', async (failed, state) => {
    await database.db.update(host).set({ resourceState: 'PrepareForMaintenance' });
    await activities.recordHostJobFailed({ ...(await newJob(failed)), failure, isCancelled: false });
    expect(await stateOf()).toBe(state);
  });
});
