import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const MiB = 1024 ** 2;
const HOURS_AGO_2 = new Date(Date.now() - 2 * 3_600_000);

describe('what is on a host and nobody knows of', () => {
  let test: TestInstallation;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 1 });
  });
  afterAll(() => test.stop());

  /** A domain of somebody else on the same libvirt. */
  async function startForeignDomain(uri: string, name: string): Promise<void> {
    const xml = `<domain type='qemu'><name>${name}</name><memory unit='MiB'>16</memory>
      <os><type arch='x86_64'>hvm</type></os></domain>`;
    const file = path.join(tmpdir(), `${name}.xml`);
    await writeFile(file, xml);
    await run('virsh', ['-c', uri, 'create', file]);
    await rm(file);
  }

  it('goes when it is an orphan, and stays when it is a stranger’s', async () => {
    const disk = await test.disk(8 * MiB);
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const vmId = await test.deploy(templateId);
    await test.hasBooted(vmId, disk);
    const { poolPath, libvirtUri, worker, id: hostId } = test.installation.hosts[0]!;
    const before = await readdir(poolPath);
    const volumeId = before.map((name) => /^(.{36})\.\d+$/.exec(name)?.[1]).find((id) => id !== undefined)!;

    const orphans = [`${templateId}.g1.e0`, `${volumeId}.0`];
    const strangers = [`${randomUUID()}.g1.e1`, `${randomUUID()}.2`, 'backup.qcow2', `${templateId}.bak`];
    const young = `${volumeId}.1`;
    const kept = `${templateId}.g9.e0`;
    for (const name of [...orphans, ...strangers]) await writeFile(path.join(poolPath, name), 'x');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', path.join(poolPath, kept), '1M']);
    const snapshot = ['-b', kept, '-F', 'qcow2', path.join(poolPath, 'snapshot.qcow2')];
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...snapshot]);
    for (const name of [...orphans, ...strangers, kept]) {
      await utimes(path.join(poolPath, name), HOURS_AGO_2, HOURS_AGO_2);
    }
    await writeFile(path.join(poolPath, young), 'x');
    const foreign = `foreign-${randomUUID()}`;
    await startForeignDomain(libvirtUri, foreign);
    try {
      await worker.restart();
      await test.isHost(hostId, 'Up');
      await waitFor('the orphans are gone', async () => {
        const names = await readdir(poolPath);
        return !orphans.some((name) => names.includes(name));
      });
      const left = await readdir(poolPath);
      expect(left.toSorted()).toEqual([...before, ...strangers, young, kept, 'snapshot.qcow2'].toSorted());
      const { stdout } = await run('virsh', ['-c', libvirtUri, 'domstate', foreign]);
      expect(stdout.trim()).toBe('running');
      expect(await test.vm(vmId)).toMatchObject({ state: 'Running' });

      const told = async (type: string): Promise<string> => {
        const { event } = await test.client.call('listEvents', { type, listall: true });
        return ((event ?? []) as { description: string }[]).map(({ description }) => description).join('\n');
      };
      await waitFor('it is told', async () => (await told('STORAGE.ORPHAN.REMOVE')).includes(orphans[0]!));
      expect(await told('STORAGE.ORPHAN')).toContain(strangers[0]!);
      expect(await told('STORAGE.ORPHAN')).toContain(kept);
      expect(await told('STORAGE.ORPHAN')).not.toContain('backup.qcow2');
      expect(await told('STORAGE.LOST')).toBe('');
    } finally {
      await run('virsh', ['-c', libvirtUri, 'destroy', foreign]);
      for (const name of [...strangers, young, kept, 'snapshot.qcow2']) await rm(path.join(poolPath, name));
    }
    await test.expunge(vmId);
    await test.leavesNothing();
  });
});
