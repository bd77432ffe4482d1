import { eq, sql } from 'drizzle-orm';
import { cluster, host, serviceOffering, vmInstance } from '../../db/schema/index.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { sealJson } from '../../kvm/keystore/sealed-json.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;
let hostId: string;
let running: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
  const [place] = await gateway.db.select().from(cluster).limit(1);
  const { dataCenterId, podId, id: clusterId } = place!;
  const [row] = await gateway.db
    .insert(host)
    .values({ name: 'host-1', dataCenterId, podId, clusterId, publicKey: 'none' })
    .returning();
  hostId = row!.id;
  running = await vm({ state: 'Running', hostId, vncPasswordEncrypted: gateway.secretBox.encrypt('8 chars.') });
});
afterAll(() => gateway.stop());

async function vm(values: Partial<typeof vmInstance.$inferInsert>): Promise<string> {
  const [offering] = await gateway.db.select().from(serviceOffering).limit(1);
  const { id } = await createVirtualMachine(gateway.db, {
    accountId: somebody.accountId,
    zoneId: gateway.seeded.zoneId,
    templateId: await addTemplate(gateway, somebody),
    serviceOfferingId: offering!.id,
  });
  await gateway.db
    .update(vmInstance)
    .set({ ended: sql`now()`, ...values })
    .where(eq(vmInstance.id, id));
  return id;
}

describe('getVirtualMachineConsoleLog', () => {
  const log = (id: string, parameters = {}, { client } = somebody) =>
    client.call('getVirtualMachineConsoleLog', { id, ...parameters });

  beforeEach(() => {
    gateway.onExecute = async ({ input }) => ({
      sealed: await sealJson({ base64: Buffer.from('login: \xff').toString('base64') }, input['replyKey'] as string),
    });
  });

  test('asks the host, with a key for this answer alone', async () => {
    expect(await log(running)).toEqual({ consolelog: { id: running, output: expect.stringContaining('login: ') } });
    await log(running, { length: 2 });
    const [first, second] = gateway.executed.slice(-2);
    const common = { vmId: running, hostId, hostName: 'host-1' };
    expect(first).toMatchObject({ workflowType: 'readConsoleLog', input: { ...common, lengthBytes: 65_536 } });
    expect(second).toMatchObject({ workflowType: 'readConsoleLog', input: { ...common, lengthBytes: 2048 } });
    expect(first!.workflowId).toMatch(/^console-/);
    expect(first!.workflowId).not.toBe(second!.workflowId);
    expect(first!.input['replyKey']).not.toBe(second!.input['replyKey']);
  });

  test('asks the host that a stopped VM ran on last', async () => {
    const id = await vm({ state: 'Stopped', hostId: null, lastHostId: hostId });
    expect(await log(id)).toMatchObject({ consolelog: { id } });
  });

  test('refuses the VM of another account, an expunged one, and one that was nowhere', async () => {
    const refusal = { errorcode: 431, errortext: expect.stringContaining('Invalid parameter id') };
    await expect(log(running, {}, other)).rejects.toMatchObject(refusal);
    await expect(log(await vm({ state: 'Expunged' }))).rejects.toMatchObject(refusal);
    await expect(log(await vm({ state: 'Starting' }))).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('has not been on a host yet'),
    });
    await expect(log(running, { length: 513 })).rejects.toMatchObject({ errorcode: 431 });
  });
});

describe('createConsoleEndpoint', () => {
  const endpoint = async (id: string, client = somebody.client) => {
    const { consoleendpoint } = await client.call('createConsoleEndpoint', { virtualmachineid: id });
    return consoleendpoint as Record<string, unknown>;
  };

  test('gives address and password, and the name of the host to root admins alone', async () => {
    gateway.onExecute = () => Promise.resolve({ port: 5903 });
    const own = await endpoint(running);
    expect(own).toEqual({
      success: true,
      url: 'vnc://127.0.0.1:5903',
      port: 5903,
      password: '8 chars.',
      details: expect.stringContaining('ssh -L 5903:127.0.0.1:5903'),
    });
    expect(JSON.stringify(own)).not.toContain('host-1');
    expect(await endpoint(running, gateway.admin)).toMatchObject({
      host: 'host-1',
      details: expect.stringContaining('host host-1'),
    });
    expect(gateway.executed.at(-1)).toMatchObject({ workflowType: 'findDisplay', input: { vmId: running, hostId } });
    expect(gateway.log()).not.toContain('8 chars.');
  });

  test('refuses the VM of another account, and one that does not run', async () => {
    await expect(endpoint(running, other.client)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('Invalid parameter virtualmachineid'),
    });
    const stopped = await vm({ state: 'Stopped', lastHostId: hostId });
    await expect(endpoint(stopped)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('is Stopped: only a running VM has a display'),
    });
    gateway.onExecute = () => Promise.resolve({ port: null });
    await expect(endpoint(running)).rejects.toMatchObject({ errorcode: 431 });
  });
});
