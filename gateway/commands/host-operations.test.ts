import { eq } from 'drizzle-orm';
import { joinHost } from '../../db/join-host.js';
import { completeJob } from '../../db/jobs.js';
import { event, host, storagePoolHostRef } from '../../db/schema/index.js';
import { hostRemovalWorkflowId, hostStateWorkflowId } from '../../shared/workflow-ids.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';

describe('what an operator does with hosts, pools and offerings', () => {
  let gateway: TestGateway;
  let hostId: string;
  const poolId = crypto.randomUUID();

  beforeAll(async () => {
    gateway = await startTestGateway();
    ({ hostId } = await joinHost(gateway.databaseUrl, {
      name: 'host-1',
      clusterId: gateway.seeded.clusterId,
      publicKey: 'key',
      pools: [{ poolId, type: 'Filesystem', path: '/pool' }],
    }));
  });
  afterAll(() => gateway.stop());

  const call = (command: string, parameters: Record<string, string> = {}) => gateway.admin.call(command, parameters);
  const setState = (resourceState: typeof host.$inferSelect.resourceState) =>
    gateway.db.update(host).set({ resourceState }).where(eq(host.id, hostId));
  const shown = async () => {
    const { host: hosts } = (await call('listHosts', { id: hostId })) as { host: Record<string, unknown>[] };
    return hosts[0]!;
  };

  it('changes name, tags and allocation state of a host, and keeps who did it', async () => {
    const changed = await call('updateHost', { id: hostId, hosttags: 'ssd, gpu,ssd', allocationstate: 'disable' });
    expect(changed).toMatchObject({ host: { id: hostId, hosttags: 'ssd,gpu', resourcestate: 'Disabled' } });
    await call('updateHost', { id: hostId, hosttags: ',', name: 'renamed' });
    const renamed = await shown();
    expect(renamed).toMatchObject({ name: 'renamed', resourcestate: 'Disabled' });
    expect(renamed).not.toHaveProperty('hosttags');
    await call('updateHost', { id: hostId, allocationstate: 'Enable', name: 'host-1' });
    const rows = await gateway.db.select().from(event).where(eq(event.resourceId, hostId)).orderBy(event.created);
    expect(rows[0]).toMatchObject({
      type: 'HOST.UPDATE',
      description: 'Host host-1 was changed: {"tags":["ssd","gpu"],"resourceState":"Disabled"}',
      accountId: expect.any(String) as string,
      userId: expect.any(String) as string,
    });
  });

  it.each(['   ', '\u00a0', 'a\nb', '\u202e', 'host-\u202e1'])('calls no host %j', async (name) => {
    await expect(call('updateHost', { id: hostId, name })).rejects.toThrow(
      'The name of a host has to be at most 255 printable characters, and not only spaces (431)',
    );
    expect(await shown()).toMatchObject({ name: 'host-1' });
  });

  it('enables and disables no host that is in another state', async () => {
    await setState('Maintenance');
    await expect(call('updateHost', { id: hostId, allocationstate: 'Enable' })).rejects.toThrow(
      'Host host-1 is in resource state Maintenance',
    );
    await setState('Enabled');
  });

  it.each([
    ['prepareHostForMaintenance', { stopvirtualmachines: 'true' }, { stopsVirtualMachines: true }],
    ['declareHostAsDegraded', {}, {}],
  ])('makes a job of %s, which shows the host when it has succeeded', async (jobCmd, parameters, input) => {
    const { jobid } = (await call(jobCmd, { id: hostId, ...parameters })) as { jobid: string };
    const job = gateway.started.at(-1)!;
    expect(job).toMatchObject({
      id: jobid,
      workflowType: jobCmd,
      workflowId: hostStateWorkflowId(hostId),
      workflowInput: { ...input, hostId, jobId: jobid },
    });
    await expect(call('declareHostAsDegraded', { id: hostId })).rejects.toThrow('Another operation on Host');
    const virtualmachines = [{ id: crypto.randomUUID(), name: 'vm', state: 'Running' }];
    await completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: { virtualmachines } });
    expect(await call('queryAsyncJobResult', { jobid })).toMatchObject({
      jobstatus: 1,
      jobresult: { host: { id: hostId, name: 'host-1', virtualmachines } },
    });
  });

  it.each<[string, (typeof host.$inferSelect.resourceState)[]]>([
    ['cancelHostMaintenance', ['PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance']],
    ['cancelHostAsDegraded', ['Degraded']],
  ])('%s makes the host Enabled at once, and nothing else of another state', async (command, states) => {
    for (const state of states) {
      await setState(state);
      const { jobid } = (await call(command, { id: hostId })) as { jobid: string };
      expect(await call('queryAsyncJobResult', { jobid })).toMatchObject({
        jobstatus: 1,
        jobresult: { host: { id: hostId, resourcestate: 'Enabled' } },
      });
    }
    await expect(call(command, { id: hostId })).rejects.toThrow('Host host-1 is in resource state Enabled');
  });

  it('gives the job of a call that is repeated, also when the host is gone', async () => {
    await setState('Maintenance');
    const customjobid = crypto.randomUUID();
    const cancel = () => call('cancelHostMaintenance', { id: hostId, customjobid });
    expect(await cancel()).toEqual({ jobid: customjobid });
    await gateway.db.update(host).set({ removed: new Date().toISOString() }).where(eq(host.id, hostId));
    expect(await cancel()).toEqual({ jobid: customjobid });
    await expect(call('cancelHostMaintenance', { id: hostId })).rejects.toThrow('Unable to execute API command');
    await gateway.db.update(host).set({ removed: null }).where(eq(host.id, hostId));
  });

  it('removes a host by a workflow that it waits for', async () => {
    gateway.onExecute = () => Promise.resolve();
    expect(await call('deleteHost', { id: hostId, forced: 'true' })).toEqual({ success: true });
    expect(gateway.executed.at(-1)).toMatchObject({
      workflowType: 'removeHost',
      workflowId: hostRemovalWorkflowId(hostId),
      input: { hostId, isForced: true },
    });
  });

  it.each(['updateHost', 'prepareHostForMaintenance', 'cancelHostMaintenance', 'declareHostAsDegraded', 'deleteHost'])(
    '%s is for root admins, and says when there is no such host',
    async (command) => {
      const { client } = await gateway.addUser(`user-of-${command}`);
      await expect(client.call(command, { id: hostId })).rejects.toThrow('The given command does not exist');
      await expect(call(command, { id: crypto.randomUUID() })).rejects.toThrow('Unable to execute API command');
    },
  );

  it('changes tags of a pool and whether it takes disks, and shows hosts that cannot use it', async () => {
    const problem = 'its file system is read-only';
    await gateway.db.update(storagePoolHostRef).set({ problem });
    expect(await call('updateStoragePool', { id: poolId, tags: 'fast', enabled: 'false' })).toMatchObject({
      storagepool: {
        id: poolId,
        tags: 'fast',
        state: 'Disabled',
        problems: [{ hostid: hostId, hostname: 'host-1', problem }],
      },
    });
    await gateway.db.update(storagePoolHostRef).set({ problem: null });
    await call('updateStoragePool', { id: poolId, enabled: 'true' });
    expect(await call('listStoragePools', { id: poolId })).toMatchObject({
      storagepool: [{ tags: 'fast', state: 'Up', problems: [] }],
    });
    await expect(call('updateStoragePool', { id: crypto.randomUUID() })).rejects.toThrow(
      'Unable to execute API command',
    );
  });

  it('makes and deletes a service offering with tags', async () => {
    const wanted = { name: 'gpu', cpunumber: '2', cpuspeed: '1500', memory: '2048', hosttags: 'gpu', tags: 'fast,ssd' };
    const { serviceoffering } = (await call('createServiceOffering', wanted)) as {
      serviceoffering: Record<string, unknown>;
    };
    const offering = { name: 'gpu', displaytext: 'gpu', cpunumber: 2, hosttags: 'gpu', storagetags: 'fast,ssd' };
    expect(serviceoffering).toMatchObject(offering);
    const id = serviceoffering['id'] as string;
    expect(await call('listServiceOfferings', { id })).toMatchObject({ serviceoffering: [offering] });
    await expect(call('createServiceOffering', wanted)).rejects.toThrow('There is a service offering with the name');
    const changes = { name: 'gpus', displaytext: 'GPUs', hosttags: 'gpu,big', storagetags: ',' };
    const { serviceoffering: changed } = await call('updateServiceOffering', { id, ...changes });
    expect(changed).toMatchObject({ id, name: 'gpus', displaytext: 'GPUs', hosttags: 'gpu,big', cpunumber: 2 });
    expect(changed).not.toHaveProperty('storagetags');
    const taken = { id, name: 'Small Instance' };
    await expect(call('updateServiceOffering', taken)).rejects.toThrow(
      'There is a service offering with the name Small',
    );
    await expect(call('updateServiceOffering', { id: crypto.randomUUID() })).rejects.toThrow('Unable to execute API');
    const [noted] = await gateway.db.select().from(event).where(eq(event.type, 'SERVICE.OFFERING.EDIT'));
    expect(noted).toMatchObject({
      resourceId: id,
      description: expect.stringMatching(/^Service offering gpu was changed/),
    });
    expect(await call('deleteServiceOffering', { id })).toEqual({ success: true });
    expect(await call('listServiceOfferings', { id })).toEqual({});
    await expect(call('deleteServiceOffering', { id })).rejects.toThrow('Unable to execute API command');
  });

  it('says nothing of the tags of a service offering that has none', async () => {
    const { serviceoffering } = await call('listServiceOfferings', { name: 'Small Instance' });
    const [small] = serviceoffering as object[];
    expect(small).toHaveProperty('cpunumber');
    for (const key of ['hosttags', 'storagetags']) expect(small).not.toHaveProperty(key);
  });

  it.each([{ memory: '31' }, { cpunumber: '0' }, { cpuspeed: '' }])(
    'makes no service offering of %p',
    async (wrong) => {
      const right = { name: 'wrong', cpunumber: '1', cpuspeed: '500', memory: '512' };
      await expect(call('createServiceOffering', { ...right, ...wrong })).rejects.toThrow('(431)');
    },
  );
});
