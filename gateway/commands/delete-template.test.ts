import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { dataCenter, templateStoreRef, vmTemplate } from '../../db/schema/index.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

const NOWHERE = '11111111-1111-4111-8111-111111111111';

let gateway: TestGateway;
let owner: TestUser;
let other: TestUser;
let osTypeId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  owner = await gateway.addUser('owner');
  other = await gateway.addUser('other');
  const { ostype } = await gateway.admin.call('listOsTypes');
  osTypeId = (ostype as { id: string }[])[0]!.id;
});
afterAll(() => gateway.stop());

async function register(changes: Record<string, boolean> = {}): Promise<string> {
  const { template } = await owner.client.call('registerTemplate', {
    name: 'debian',
    url: 'https://images.example/debian.qcow2',
    format: 'QCOW2',
    hypervisor: 'KVM',
    directdownload: true,
    ostypeid: osTypeId,
    zoneid: gateway.seeded.zoneId,
    ...changes,
  });
  return (template as { id: string }[])[0]!.id;
}

/** What the workflow writes. */
async function remove(id: string): Promise<void> {
  const removed = new Date().toISOString();
  await gateway.db.update(vmTemplate).set({ state: 'Inactive', removed }).where(eq(vmTemplate.id, id));
  await gateway.db.update(templateStoreRef).set({ state: 'Destroyed' }).where(eq(templateStoreRef.templateId, id));
}

const erase = (id: string, parameters = {}, { client } = owner) =>
  client.call('deleteTemplate', { id, ...parameters }) as Promise<{ jobid: string }>;

test('answers with a job, starts the workflow, and the job ends in success', async () => {
  const id = await register();
  const { jobid } = await erase(id, { zoneid: gateway.seeded.zoneId, forced: true });
  expect(gateway.started.at(-1)).toMatchObject({
    id: jobid,
    workflowType: 'deleteTemplate',
    workflowId: `template-${id}`,
    workflowInput: { templateId: id, jobId: jobid, zoneId: gateway.seeded.zoneId, isForced: true },
    instanceType: 'Template',
  });
  await expect(erase(id)).rejects.toMatchObject({ errorcode: 536 });
  await completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: { success: true } });
  expect(await owner.client.call('queryAsyncJobResult', { jobid })).toMatchObject({
    cmd: 'org.apache.cloudstack.api.command.user.template.DeleteTemplateCmd',
    jobstatus: 1,
    jobresult: { success: true },
    jobinstancetype: 'Template',
  });
});

test('gives the same job to a call that is repeated when the template is gone', async () => {
  const id = await register();
  const customjobid = randomUUID();
  await erase(id, { customjobid });
  await remove(id);
  expect(await erase(id, { customjobid })).toEqual({ jobid: customjobid });
  await expect(erase(id)).rejects.toMatchObject({ errorcode: 431 });
});

test('is for the owner and for root admins', async () => {
  const own = await register();
  // Others do not learn that it is there.
  await expect(erase(own, {}, other)).rejects.toMatchObject({
    errorcode: 431,
    errortext: expect.stringContaining(`Invalid parameter id value=${own}`),
  });
  const shared = await register({ ispublic: true });
  await expect(erase(shared, {}, other)).rejects.toMatchObject({ errorcode: 531 });
  await expect(erase(shared, {}, { ...owner, client: gateway.admin })).resolves.toHaveProperty('jobid');
});

test('takes a SYSTEM template from nobody but a root admin who means it', async () => {
  const id = await register();
  await gateway.db.update(vmTemplate).set({ type: 'SYSTEM' }).where(eq(vmTemplate.id, id));
  const refusal = {
    errorcode: 431,
    errortext: 'Could not delete template as it is a SYSTEM template and isSystem is set to false.',
  };
  const admin = { ...owner, client: gateway.admin };
  await expect(erase(id, { issystem: true })).rejects.toMatchObject(refusal);
  await expect(erase(id, {}, admin)).rejects.toMatchObject(refusal);
  await expect(erase(id, { issystem: true }, admin)).resolves.toHaveProperty('jobid');
});

test.each([
  ['no id', { id: '' }, 'missing parameter id'],
  ['a template that is not there', { id: NOWHERE }, `Invalid parameter id value=${NOWHERE}`],
  ['a zone that is not there', { zoneid: NOWHERE }, `Invalid parameter zoneid value=${NOWHERE}`],
  ['a word that is no boolean', { forced: 'maybe' }, 'invalid value maybe for parameter forced'],
])('refuses %s', async (_, parameters, text) => {
  const call = owner.client.call('deleteTemplate', { id: await register(), ...parameters });
  await expect(call).rejects.toMatchObject({ errorcode: 431, errortext: expect.stringContaining(text) });
});

test('leaves what was deleted to showremoved, where it is not ready', async () => {
  const id = await register();
  const list = async (more = {}) => {
    const { template = [] } = await owner.client.call('listTemplates', { templatefilter: 'self', id, ...more });
    return template as Record<string, unknown>[];
  };
  const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-2' }).returning();
  await gateway.db.insert(templateStoreRef).values({ templateId: id, dataCenterId: zone!.id, state: 'Destroyed' });
  expect(await list()).toMatchObject([{ zoneid: gateway.seeded.zoneId, isready: true }]);
  expect(await list({ showremoved: true })).toMatchObject([{ isready: true }, { zonename: 'zone-2', isready: false }]);
  await remove(id);
  expect(await list()).toEqual([]);
  expect(await list({ showremoved: true })).toMatchObject([{ isready: false }, { isready: false }]);
});
