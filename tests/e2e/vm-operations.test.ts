import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudStackApiError } from '../../cli/cloudstack-client.js';
import { type TestDisk, TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);

const MiB = 1024 ** 2;
/** Short, so that nobody waits for long for a guest that does not listen, or for a host that owes a stop. */
const SETTINGS = { 'stop.script.timeout': '20', 'host.reconnect.grace': '5' };

describe('the life of a VM through the API', () => {
  let test: TestInstallation;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 2, isPoolShared: true, settings: SETTINGS });
  });
  afterAll(() => test.stop());

  const capacity = async (hostid: string) => {
    const { host } = await test.client.call('listHosts', { id: hostid });
    const [{ cpuallocatedvalue, memoryallocated }] = host as [{ cpuallocatedvalue: number; memoryallocated: number }];
    return { cpuallocatedvalue, memoryallocated };
  };
  const domains = async (uri: string) => (await run('virsh', ['-q', '-c', uri, 'list', '--all', '--uuid'])).stdout;
  const NOTHING = { cpuallocatedvalue: 0, memoryallocated: 0 };

  const deployed = async (disk: TestDisk): Promise<string> => {
    const vmId = await test.deploy(await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`));
    await test.hasBooted(vmId, disk);
    return vmId;
  };

  it('stops, starts on either host, reboots, ends by itself, is destroyed, recovered and expunged', async () => {
    const disk = await test.disk(2 * MiB, { isObliging: true });
    const vmId = await deployed(disk);
    const first = await test.hostOf(vmId);
    const other = test.installation.hosts.find(({ id }) => id !== first.id)!;
    const whileRunning = await capacity(first.id);
    expect(whileRunning.memoryallocated).toBeGreaterThan(0);
    const { requests } = test.origin.statistics(disk.path);

    expect(await test.run('stopVirtualMachine', { id: vmId })).toMatchObject({
      virtualmachine: { id: vmId, state: 'Stopped' },
    });
    const stopped = await test.vm(vmId);
    expect(stopped.state).toBe('Stopped');
    expect(stopped).not.toHaveProperty('hostid');
    expect(await capacity(first.id)).toEqual(NOTHING);
    // What it wrote can still be read.
    expect(await readFile(path.join(first.consoleDirectory, `${vmId}.log`), 'utf8')).toContain(disk.nonce);

    await test.run('startVirtualMachine', { id: vmId, hostid: first.id });
    await test.hasBooted(vmId, disk, 2);
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', hostid: first.id });
    expect(await capacity(first.id)).toEqual(whileRunning);

    await test.run('rebootVirtualMachine', { id: vmId });
    await test.hasBooted(vmId, disk, 3);
    await test.run('rebootVirtualMachine', { id: vmId, forced: true });
    await test.hasBooted(vmId, disk, 4);
    expect((await test.vm(vmId)).state).toBe('Running');

    // Nobody told Slipway.
    await run('virsh', ['-c', first.libvirtUri, 'shutdown', vmId]);
    await waitFor('it is shown as Stopped', async () => (await test.vm(vmId)).state === 'Stopped', 20_000);
    expect(await capacity(first.id)).toEqual(NOTHING);

    await test.run('startVirtualMachine', { id: vmId, hostid: other.id });
    await test.hasBooted(vmId, disk);
    expect((await test.vm(vmId)).hostid).toBe(other.id);

    await test.run('destroyVirtualMachine', { id: vmId });
    expect((await test.vm(vmId)).state).toBe('Destroyed');
    expect(await test.client.call('recoverVirtualMachine', { id: vmId })).toMatchObject({
      virtualmachine: { id: vmId, state: 'Stopped' },
    });
    await test.run('startVirtualMachine', { id: vmId, hostid: other.id });
    await test.hasBooted(vmId, disk, 2);
    // From the disk that it has always had.
    expect(test.origin.statistics(disk.path).requests).toBe(requests);

    await test.expunge(vmId);
    await test.leavesNothing();
    for (const { consoleDirectory } of [first, other]) {
      await expect(readFile(path.join(consoleDirectory, `${vmId}.log`))).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  it('is restored from another template and back, and boots each time from the new disk', async () => {
    const [first, second] = [
      await test.disk(2 * MiB, { isObliging: true }),
      await test.disk(2 * MiB, { isObliging: true }),
    ];
    const register = (disk: TestDisk) => test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const [firstId, secondId] = [await register(first), await register(second)];
    const vmId = await test.deploy(firstId);
    await test.hasBooted(vmId, first);
    // Its console has what this boot wrote, and is asked for the next one.
    const { id: hostid } = await test.hostOf(vmId);
    const { requests } = test.origin.statistics(first.path);

    await test.run('restoreVirtualMachine', { virtualmachineid: vmId, templateid: secondId });
    await test.hasBooted(vmId, second);
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', templateid: secondId });

    await test.run('stopVirtualMachine', { id: vmId });
    await test.run('restoreVirtualMachine', { virtualmachineid: vmId, templateid: firstId });
    expect(await test.vm(vmId)).toMatchObject({ state: 'Stopped', templateid: firstId });
    await test.run('startVirtualMachine', { id: vmId, hostid });
    await test.hasBooted(vmId, first, 2);
    // The pool had it.
    expect(test.origin.statistics(first.path).requests).toBe(requests);
    await test.expunge(vmId);
    await test.leavesNothing();
  });

  it('has an ISO in its drive while it runs; another is installed from it, on a blank disk', async () => {
    const disk = await test.disk(2 * MiB, { isObliging: true });
    const vmId = await deployed(disk);
    const iso = await test.bootIso();
    const { libvirtUri } = await test.hostOf(vmId);
    const drive = async () => {
      const { stdout } = await run('virsh', ['-q', '-c', libvirtUri, 'domblklist', '--details', vmId]);
      return stdout;
    };
    await test.run('attachIso', { id: iso.id, virtualmachineid: vmId });
    expect(await drive()).toContain(`/${iso.id}.g1.e`);
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', isoid: iso.id });
    await expect(test.run('deleteIso', { id: iso.id })).rejects.toMatchObject({
      errortext: expect.stringContaining("it's used by other vms") as string,
    });
    await test.run('detachIso', { virtualmachineid: vmId });
    expect(await drive()).not.toContain(iso.id);
    expect(await test.vm(vmId)).not.toHaveProperty('isoid');
    const { requests } = test.origin.statistics(iso.path);

    const { diskoffering } = (await test.client.call('listDiskOfferings', { name: 'Small' })) as {
      diskoffering: { id: string }[];
    };
    const installed = await test.deploy(iso.id, { diskofferingid: diskoffering[0]!.id });
    await test.hasBooted(installed, iso);
    const { id: hostid } = await test.hostOf(installed);
    await test.run('stopVirtualMachine', { id: installed });
    await test.run('startVirtualMachine', { id: installed, hostid });
    await test.hasBooted(installed, iso, 2);
    expect(test.origin.statistics(iso.path).requests).toBe(requests);
    for (const id of [vmId, installed]) await test.expunge(id);
    await test.run('deleteIso', { id: iso.id });
    await test.leavesNothing();
  });

  it('is made without being started, and boots at its first start where it is to, with the ISO that it was given', async () => {
    const disk = await test.disk(2 * MiB, { isObliging: true });
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const [, host] = test.installation.hosts;
    const vmId = await test.deploy(templateId, { startvm: 'false', name: 'late' });
    const { volume } = await test.client.call('listVolumes', { virtualmachineid: vmId });
    expect([await test.vm(vmId), volume]).toMatchObject([{ state: 'Stopped' }, [{ state: 'Allocated' }]]);
    const iso = await test.bootIso();
    await test.run('attachIso', { id: iso.id, virtualmachineid: vmId });

    await test.run('startVirtualMachine', { id: vmId, hostid: host!.id });
    await test.hasBooted(vmId, disk);
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', hostid: host!.id, isoid: iso.id });
    const { stdout } = await run('virsh', ['-q', '-c', host!.libvirtUri, 'domblklist', '--details', vmId]);
    expect(stdout).toContain(`/${iso.id}.g1.e`);
    await test.expunge(vmId);
    await test.run('deleteIso', { id: iso.id });
    await test.leavesNothing();
  });

  describe('whose guest does not listen', () => {
    // Each stop takes as long as this: the guests before may have longer, for they listen.
    beforeAll(() => test.client.call('updateConfiguration', { name: 'stop.script.timeout', value: '3' }));

    it('is ended when the time is over, and at once by force', async () => {
      const disk = await test.disk(2 * MiB);
      const vmId = await deployed(disk);
      await test.run('stopVirtualMachine', { id: vmId });
      await test.run('startVirtualMachine', { id: vmId });
      const error = await test.run('startVirtualMachine', { id: vmId }).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(CloudStackApiError);
      expect(error).toMatchObject({ errorcode: 431, errortext: expect.stringContaining('is Running') as string });
      await test.run('stopVirtualMachine', { id: vmId, forced: true });
      expect((await test.vm(vmId)).state).toBe('Stopped');
      await test.expunge(vmId);
      await test.leavesNothing();
    });

    it('is up to date although the host worker is killed while it stops', async () => {
      const disk = await test.disk(2 * MiB);
      const vmId = await deployed(disk);
      const { worker } = await test.hostOf(vmId);
      const { jobid } = (await test.client.call('stopVirtualMachine', { id: vmId })) as { jobid: string };
      await waitFor('it is Stopping', async () => (await test.vm(vmId)).state === 'Stopping');
      worker.kill('SIGKILL');
      await worker.exited();
      await worker.restart();
      await test.ended(jobid);
      expect((await test.vm(vmId)).state).toBe('Stopped');
      await test.expunge(vmId);
      await test.leavesNothing();
    });
  });

  it('is started nowhere else while a host that is cut off runs it, and is once that host has ended it', async () => {
    const disk = await test.disk(2 * MiB);
    const vmId = await deployed(disk);
    const cutOff = await test.hostOf(vmId);
    const other = test.installation.hosts.find(({ id }) => id !== cutOff.id)!;
    cutOff.worker.kill('SIGSTOP');
    try {
      await test.run('stopVirtualMachine', { id: vmId, forced: true });
      expect((await test.vm(vmId)).state).toBe('Stopped');
      // The domain runs on, with the disk open.
      expect(await domains(cutOff.libvirtUri)).toContain(vmId);
      await expect(test.run('startVirtualMachine', { id: vmId, hostid: other.id })).rejects.toMatchObject({
        errortext: expect.stringContaining(`${cutOff.name}: may still run it`) as string,
      });
      expect((await test.vm(vmId)).state).toBe('Stopped');
    } finally {
      cutOff.worker.kill('SIGCONT');
    }
    await waitFor('its host has ended it', async () => !(await domains(cutOff.libvirtUri)).includes(vmId));
    await waitFor('its host has paid', async () => (await capacity(cutOff.id)).memoryallocated === 0);
    await test.run('startVirtualMachine', { id: vmId, hostid: other.id });
    await test.hasBooted(vmId, disk);
    expect((await test.vm(vmId)).hostid).toBe(other.id);
    await test.isHost(cutOff.id, 'Up');
    await test.expunge(vmId);
    await test.leavesNothing();
  });
});
