import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { completeJob, createJob, type NewJob } from './jobs.js';
import { user } from './schema/index.js';

describe('jobs', () => {
  let test: TestDatabase;
  let owner: { accountId: string; userId: string };

  beforeAll(async () => {
    test = await createTestDatabase();
    const [admin] = await test.db.select().from(user);
    owner = { accountId: admin!.accountId, userId: admin!.id };
  });
  afterAll(() => test.drop());

  const newJob = (changes: Partial<NewJob> = {}): NewJob => {
    const vmId = randomUUID();
    return {
      ...owner,
      jobCmd: 'destroyVirtualMachine',
      workflowType: 'destroyVirtualMachine',
      workflowId: `vm-${vmId}`,
      workflowInput: {},
      instanceType: 'VirtualMachine',
      instanceId: vmId,
      ...changes,
    };
  };

  it('refuses a second job for a thing while the first one runs, and takes it afterwards', async () => {
    const job = newJob();
    const first = await createJob(test.db, job);
    await expect(createJob(test.db, job)).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_BUSY' });
    await completeJob(test.db, first.id, { status: 'succeeded', resultCode: 0, result: {} });
    await expect(createJob(test.db, job)).resolves.toMatchObject({ jobStatus: 0 });
  });

  it('lets exactly one of ten concurrent callers in', async () => {
    const job = newJob();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => createJob(test.db, job)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('answers the same customjobid with the same job', async () => {
    const job = newJob({ id: randomUUID() });
    const first = await createJob(test.db, job);
    await expect(createJob(test.db, job)).resolves.toEqual(first);
  });

  it('keeps the first outcome of a job', async () => {
    const { id } = await createJob(test.db, newJob());
    const failed = { status: 'failed', resultCode: 530, result: { errorcode: 530 } } as const;
    expect(await completeJob(test.db, id, failed)).toBe(true);
    expect(await completeJob(test.db, id, { status: 'succeeded', resultCode: 0, result: {} })).toBe(false);
  });
});
