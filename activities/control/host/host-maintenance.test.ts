import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { endDegraded, endMaintenance } from '../../../db/hosts.js';
import { completeJob, createJob } from '../../../db/jobs.js';
import { joinHost } from '../../../db/join-host.js';
import type { Caller } from '../../../db/reads/find-caller.js';
import { asyncJob, event, host, user } from '../../../db/schema/index.js';
import { hostStateWorkflowId } from '../../../shared/workflow-ids.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { createControlActivities } from '../index.js';

type Command = 'prepareHostForMaintenance' | 'declareHostAsDegraded';

describe('the state that an operator gives a host', () => {
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
  async function newJob(jobCmd: Command, id?: string) {
    const { id: jobId } = await createJob(database.db, {
      ...(id && { id }),
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

  const caller = (): Caller => {
    const { id: userId, accountId, domainId } = admin;
    return { userId, accountId, domainId, domainPath: '/', role: 'Admin' };
  };

  interface Way {
    jobCmd: Command;
    /** As the workflow of a job begins, and as a try of an activity that is repeated. */
    begin: (job: Awaited<ReturnType<typeof newJob>>) => Promise<unknown>;
    begun: string;
    takeBack: () => Promise<boolean>;
  }
  const ways: Record<'a maintenance' | 'a declaration as Degraded', Way> = {
    'a maintenance': {
      jobCmd: 'prepareHostForMaintenance',
      begin: (job) => activities.beginMaintenance(job),
      begun: 'PrepareForMaintenance',
      takeBack: () => database.db.transaction((tx) => endMaintenance(tx, caller(), hostId)),
    },
    'a declaration as Degraded': {
      jobCmd: 'declareHostAsDegraded',
      begin: (job) => activities.takeForStopped({ ...job, isFirstLook: true }),
      begun: 'Degraded',
      takeBack: () => database.db.transaction((tx) => endDegraded(tx, caller(), hostId)),
    },
  };

  describe.each(Object.keys(ways) as (keyof typeof ways)[])('%s', (name) => {
    const { jobCmd, begin, begun, takeBack } = ways[name];
    const end = (jobId: string) => completeJob(database.db, jobId, { status: 'succeeded', resultCode: 0, result: {} });
    beforeEach(() => database.db.update(host).set({ status: 'Down' }));

    it('stands when it is begun twice, and is told once', async () => {
      const job = await newJob(jobCmd);
      await begin(job);
      const told = await database.db.$count(event);
      await begin(job);
      expect([await stateOf(), await database.db.$count(event)]).toEqual([begun, told]);
    });

    it('is not begun again once it was taken back', async () => {
      const job = await newJob(jobCmd);
      await begin(job);
      await takeBack();
      await expect(begin(job)).rejects.toMatchObject({ code: 'SLIPWAY_CANCELLED' });
      expect(await stateOf()).toBe('Enabled');
    });

    it('is not begun again once it was taken back, also when the host had been in that state before', async () => {
      const earlier = await newJob(jobCmd);
      await begin(earlier);
      await end(earlier.jobId);
      const job = await newJob(jobCmd);
      await begin(job);
      await takeBack();
      await expect(begin(job)).rejects.toMatchObject({ code: 'SLIPWAY_CANCELLED' });
      expect(await stateOf()).toBe('Enabled');
    });

    it.each<[string, boolean]>([
      ['', false],
      [', also with an id that an earlier job had', true],
    ])('is begun by another job after it was taken back%s', async (_, hasSameId) => {
      const { db } = database;
      const earlier = await newJob(jobCmd);
      await begin(earlier);
      await takeBack();
      await end(earlier.jobId);
      // As when old jobs are purged, which events outlive.
      await db.delete(asyncJob);
      await begin(await newJob(jobCmd, hasSameId ? earlier.jobId : undefined));
      expect(await stateOf()).toBe(begun);
    });
  });

  it('is prepared once more by another job when it could not be drained', async () => {
    await database.db.update(host).set({ resourceState: 'ErrorInMaintenance' });
    await activities.beginMaintenance(await newJob('prepareHostForMaintenance'));
    expect(await stateOf()).toBe('PrepareForMaintenance');
  });
});
