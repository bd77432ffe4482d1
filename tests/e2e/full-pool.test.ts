import { open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { RunningHost } from '../../embedded/installation.js';
import { privateLibvirtdObstacle, type PrivateLibvirtd, startPrivateLibvirtd } from '../support/private-libvirtd.js';
import { mountObstacle, mountSmallFileSystem, type SmallFileSystem } from '../support/small-file-system.js';
import { type TestDisk, TestInstallation } from '../support/test-installation.js';
import { describeUnless } from '../support/unless.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;
const POOL_BYTES = 64 * MiB;

describeUnless(mountObstacle ?? privateLibvirtdObstacle(), 'a pool whose file system is full', () => {
  let fileSystem: SmallFileSystem;
  let libvirtd: PrivateLibvirtd;
  let test: TestInstallation;
  let roomy: RunningHost;
  let small: RunningHost;
  /** Of the template that the small pool is full of, and of the VM that stands on it. */
  let used: { disk: TestDisk; templateId: string; vmId: string };

  beforeAll(async () => {
    fileSystem = await mountSmallFileSystem(POOL_BYTES);
    // After it: the machine's own may be in a mount namespace where nothing appears that is mounted later.
    libvirtd = await startPrivateLibvirtd();
    test = await TestInstallation.start({ hosts: 2, lastPoolPath: fileSystem.path, libvirtUri: libvirtd.uri });
    [roomy, small] = test.installation.hosts as [RunningHost, RunningHost];
  });
  afterAll(async () => {
    await test?.stop();
    await libvirtd?.stop();
    await fileSystem?.remove();
  });

  const register = (disk: TestDisk) => test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
  const copies = async (templateId: string) =>
    (await readdir(small.poolPath)).filter((name) => name.startsWith(templateId));

  it('of a template that nobody uses takes another one in its place', async () => {
    const [unused, disk] = [await test.disk(36 * MiB), await test.disk(24 * MiB)];
    const unusedId = await register(unused);
    await test.expunge(await test.deploy(unusedId, { hostid: small.id }));
    expect(await copies(unusedId)).toHaveLength(1);

    const templateId = await register(disk);
    const vmId = await test.deploy(templateId, { hostid: small.id });
    await test.hasBooted(vmId, disk);
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', hostid: small.id });
    expect(await copies(unusedId)).toEqual([]);
    used = { disk, templateId, vmId };
  });

  it('when a stranger fills it in the middle of a download leaves the VM to another host, and harms nobody', async () => {
    const disk = await test.disk(16 * MiB);
    // Nobody knows how long the file is: no space could be set aside for it.
    const served = { content: { file: disk.file }, isIgnoringRange: true, announcedBytes: null };
    test.origin.serve(disk.path, { ...served, bytesPerSecond: 4 * MiB });
    const templateId = await register(disk);
    const stranger = path.join(small.poolPath, 'of-a-stranger');
    const [copy] = await copies(used.templateId);

    // At first there is no other host.
    await test.client.call('updateHost', { id: roomy.id, allocationstate: 'Disable' });
    const { id: vmId, jobid } = await test.begin(templateId);
    await waitFor('the download is under way', async () => (await test.downloadedBytes(templateId)) > MiB);
    await test.client.call('updateHost', { id: roomy.id, allocationstate: 'Enable' });
    test.origin.serve(disk.path, served);
    await fill(stranger);
    await test.ended(jobid);

    await test.hasBooted(vmId, disk);
    expect(await test.vm(vmId)).toMatchObject({ state: 'Running', hostid: roomy.id });
    expect(await test.hasEvent(vmId, `Tried before:\n${small.name}: `)).toBe(true);
    expect(await test.hasEvent(vmId, 'no space left')).toBe(true);
    expect(await copies(templateId)).toEqual([]);
    expect(await copies(used.templateId)).toEqual([copy]);
    await test.run('rebootVirtualMachine', { id: used.vmId, forced: true });
    await test.hasBooted(used.vmId, used.disk, 2);

    expect(await test.reconcile()).toEqual([]);
    for (const id of [vmId, used.vmId]) await test.expunge(id);
    await rm(stranger);
    await test.leavesNothing();
  });
});

/** Writes until nothing more fits. */
async function fill(file: string): Promise<void> {
  const bytes = Buffer.alloc(MiB, 1);
  const handle = await open(file, 'w');
  try {
    for (;;) await handle.write(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
}
