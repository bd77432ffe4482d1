import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudStackApiError } from '../../cli/cloudstack-client.js';
import { TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const MiB = 1024 ** 2;

describe('the end of a template', () => {
  let test: TestInstallation;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 1, controlWorkers: 2 });
  });
  afterAll(() => test.stop());

  const filesOf = async (templateId: string): Promise<string[]> => {
    const names = await readdir(test.installation.hosts[0]!.poolPath);
    return names.filter((name) => name.startsWith(templateId));
  };
  const allocated = async (): Promise<number> => {
    const { storagepool } = await test.client.call('listStoragePools');
    return (storagepool as { disksizeallocated: number }[])[0]!.disksizeallocated;
  };

  it('is refused while a VM runs, forced leaves the VM alone, and nothing is left after its end', async () => {
    const disk = await test.disk(8 * MiB);
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const vmId = await test.deploy(templateId);
    await test.hasBooted(vmId, disk);

    const error = await test.deleteTemplate(templateId).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CloudStackApiError);
    expect((error as CloudStackApiError).errortext).toContain('because there are [1] VM instances using it.');

    await test.deleteTemplate(templateId, { forced: true });
    const { template } = await test.client.call('listTemplates', { templatefilter: 'all', id: templateId });
    expect(template).toBeUndefined();
    await expect(test.begin(templateId)).rejects.toMatchObject({ errorcode: 431 });
    expect(await filesOf(templateId)).toHaveLength(1);
    const { stdout } = await run('virsh', ['-c', test.installation.hosts[0]!.libvirtUri, 'domstate', `i-${vmId}`]);
    expect(stdout.trim()).toBe('running');
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', templateid: templateId });

    await test.expunge(vmId);
    await waitFor('the copy is evicted', async () => (await filesOf(templateId)).length === 0);
    await test.leavesNothing();
    expect(await allocated()).toBe(0);
  });

  it('waits for a disk that somebody made by hand', async () => {
    const disk = await test.disk(8 * MiB);
    const templateId = await test.register(`${test.origin.url}${disk.path}`);
    const vmId = await test.deploy(templateId);
    const { poolPath } = await test.hostOf(vmId);
    const [copy] = await filesOf(templateId);
    const rescue = path.join(poolPath, 'rescue.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', copy!, rescue]);
    await test.expunge(vmId);
    await test.deleteTemplate(templateId);
    await waitFor('the host has refused', () => test.hasEvent(templateId, 'rescue.qcow2'));
    expect(await filesOf(templateId)).toEqual([copy]);

    await rm(rescue);
    await test.forgetRefusals();
    await waitFor('the copy is evicted', async () => (await filesOf(templateId)).length === 0);
    await test.leavesNothing();
  });

  it('comes after the host was away', async () => {
    const disk = await test.disk(8 * MiB);
    const templateId = await test.register(`${test.origin.url}${disk.path}`);
    await test.expunge(await test.deploy(templateId));
    const [host] = test.installation.hosts;
    await host!.worker.stop();
    await test.isHost(host!.id, 'Down');
    await test.deleteTemplate(templateId);
    expect(await filesOf(templateId)).toHaveLength(1);
    await host!.worker.restart();
    await waitFor('the copy is evicted', async () => (await filesOf(templateId)).length === 0, 60_000);
    await test.leavesNothing();
  });
});
