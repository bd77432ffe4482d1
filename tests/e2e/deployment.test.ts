import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudStackApiError } from '../../cli/cloudstack-client.js';
import { pickFreePorts } from '../../embedded/ports.js';
import { TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);

const MiB = 1024 ** 2;

describe('a deployment through the API', () => {
  let test: TestInstallation;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 2, gateways: 2, controlWorkers: 2 });
  });
  afterAll(() => test.stop());

  it('boots a VM from a metalink whose best mirror is down and whose second breaks off half way', async () => {
    const disk = await test.disk(24 * MiB);
    const half = Math.floor(disk.sizeBytes / 2);
    const [closedPort] = await pickFreePorts(1);
    test.origin.serve('/breaks-off', {
      content: { file: disk.file },
      dropAfterBytes: { bytes: half },
      // The probe at registration and the first half of the download, and then no more.
      status: { code: 503, skip: 2 },
    });
    test.origin.serve('/good', { content: { file: disk.file } });
    const url = test.metalink(disk, [
      `http://127.0.0.1:${closedPort}/disk.qcow2`,
      `${test.origin.url}/breaks-off`,
      `${test.origin.url}/good`,
    ]);
    const templateId = await test.register(url);
    const probed = test.origin.statistics('/good').bytes;
    const vmId = await test.deploy(templateId);
    await test.hasBooted(vmId, disk);

    // The third mirror went on where the second had stopped.
    const served = test.origin.statistics('/good').bytes - probed;
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(disk.sizeBytes);
    const { poolPath } = await test.hostOf(vmId);
    const installed = (await readdir(poolPath)).find((name) => name.startsWith(templateId))!;
    const sha256 = createHash('sha256')
      .update(await readFile(path.join(poolPath, installed)))
      .digest('hex');
    expect(sha256).toBe(disk.sha256);

    const requests = test.origin.statistics('/good').requests;
    const second = await test.deploy(templateId);
    await test.hasBooted(second, disk);
    expect(test.origin.statistics('/good').requests).toBe(requests);

    await test.expunge(vmId);
    await test.expunge(second);
    await test.leavesNothing();
  });

  it('gives a guest its keys and user data, and shows its console and its display', async () => {
    const { client } = test;
    const disk = await test.disk(2 * MiB);
    const templateId = await test.register(`${test.origin.url}${disk.path}`);
    await client.call('createSSHKeyPair', { name: 'mine' });
    const userData = '#cloud-config\nhostname: überall\n';
    const vmId = await test.deploy(templateId, {
      name: 'web-1',
      keypair: 'mine',
      userdata: Buffer.from(userData).toString('base64'),
    });
    await test.hasBooted(vmId, disk);

    const { consoleDirectory, libvirtUri } = await test.hostOf(vmId);
    const seed = path.join(consoleDirectory, 'seeds', `${vmId}.iso`);
    const read = async (name: string) => (await run('isoinfo', ['-R', '-i', seed, '-x', `/${name}`])).stdout;
    expect(await read('user-data')).toBe(userData);
    expect(JSON.parse(await read('meta-data'))).toEqual({
      'instance-id': vmId,
      'local-hostname': 'web-1',
      'public-keys': [expect.stringMatching(/^ssh-rsa /)],
    });
    const { nic } = (await test.vm(vmId)) as unknown as { nic: { macaddress: string; type: string }[] };
    expect(nic).toMatchObject([{ type: 'User' }]);
    const { stdout: xml } = await run('virsh', ['-c', libvirtUri, 'dumpxml', vmId]);
    expect(xml).toContain(seed);
    expect(xml).toContain(nic[0]!.macaddress);

    const { consolelog } = await client.call('getVirtualMachineConsoleLog', { id: vmId });
    expect((consolelog as { output: string }).output).toContain(disk.nonce);
    const { consoleendpoint } = await client.call('createConsoleEndpoint', { virtualmachineid: vmId });
    const { port } = consoleendpoint as { port: number };
    const greeting = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').once('error', reject);
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(bytes.toString('latin1'));
      });
    });
    expect(greeting).toMatch(/^RFB 003/);

    await test.expunge(vmId);
    await test.leavesNothing();
  });

  it('tries a wrong checksum three times on each host and says what was expected and what came', async () => {
    const disk = await test.disk(2 * MiB);
    const wrong = '0'.repeat(64);
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${wrong}`);
    const { requests } = test.origin.statistics(disk.path);
    const { id, jobid } = await test.begin(templateId);
    const error = await test.ended(jobid).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CloudStackApiError);
    const { errortext } = error as CloudStackApiError;
    for (const { name } of test.installation.hosts) expect(errortext).toContain(`${name}: `);
    expect(errortext).toContain(`expected {SHA-256}${wrong}, actual {SHA-256}${disk.sha256}`);
    // Each host reads the source's type once, and downloads three times.
    const downloads = test.origin
      .statistics(disk.path)
      .ranges.slice(requests)
      .filter((range) => range === '');
    expect(downloads).toHaveLength(6);
    expect(await test.vm(id)).toMatchObject({ state: 'Error' });
    await test.expunge(id);
    await test.leavesNothing();
  });

  it('asks no source that the policy has come to forbid, and says so for each host', async () => {
    const disk = await test.disk(2 * MiB);
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const { requests } = test.origin.statistics(disk.path);
    const allow = (value: string) =>
      test.client.call('updateConfiguration', { name: 'secstorage.allowed.internal.sites', value });
    // Other addresses than the one of the server: the client leaves out what is empty.
    await allow('127.1.0.0/16');
    const { id, jobid } = await test.begin(templateId);
    const error = await test.ended(jobid).catch((cause: unknown) => cause);
    await allow('127.0.0.0/8');
    const { errortext } = error as CloudStackApiError;
    for (const { name } of test.installation.hosts) expect(errortext).toContain(`${name}: `);
    expect(errortext).toContain('127.0.0.1');
    expect(test.origin.statistics(disk.path).requests).toBe(requests);
    await test.expunge(id);
    await test.leavesNothing();
  });

  it('keeps downloads of a zone to its limit, and a download that runs to what the limit becomes', async () => {
    const { client } = test;
    // At 1 MiB/s it would take longer than a test waits for a job.
    const disk = await test.disk(192 * MiB);
    const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
    const limit = { name: 'direct.download.bandwidth.host', zoneid: zone[0]!.id };
    expect(await client.call('updateConfiguration', { ...limit, value: '1' })).toMatchObject({
      configuration: { value: '1', defaultvalue: '0', scope: 'zone' },
    });
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const { id, jobid } = await test.begin(templateId);
    await waitFor('it downloads', async () => (await test.downloadedBytes(templateId)) > MiB);
    expect(await test.downloadedBytes(templateId)).toBeLessThan(disk.sizeBytes / 2);
    await client.call('resetConfiguration', limit);
    await test.ended(jobid);
    const { event } = await client.call('listEvents', { type: 'CONFIGURATION.VALUE.EDIT', keyword: limit.name });
    expect((event as { description: string }[]).map(({ description }) => / from .*/.exec(description)?.[0])).toEqual(
      expect.arrayContaining([' from "0" to "1"', ' from "1" to "0": it has none of its own any more']),
    );
    await test.expunge(id);
    await test.leavesNothing();
  });

  it('serves ten deployments of one template on one pool from one download, through two gateways', async () => {
    const disk = await test.disk(40 * MiB);
    test.origin.serve(disk.path, { content: { file: disk.file }, bytesPerSecond: 8 * MiB });
    const [busy, idle] = test.installation.hosts;
    // One host only, so that there is one pool.
    await idle!.worker.stop();
    await test.isHost(idle!.id, 'Down');
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const before = test.origin.statistics(disk.path).bytes;
    const begun = await Promise.all(
      Array.from({ length: 10 }, (_, index) => test.begin(templateId, test.clients[index % 2])),
    );
    await waitFor('the API shows the progress', async () => (await test.downloadedBytes(templateId)) > 0);
    await Promise.all(begun.map(({ jobid }, index) => test.ended(jobid, test.clients[index % 2])));
    for (const { id } of begun) expect(await test.vm(id)).toMatchObject({ state: 'Running', hostid: busy!.id });
    expect(test.origin.statistics(disk.path).bytes - before).toBeLessThan(disk.sizeBytes + 64 * 1024);
    await Promise.all(begun.map(({ id }) => test.expunge(id)));
    await idle!.worker.restart();
    await test.isHost(idle!.id, 'Up');
    await test.leavesNothing();
  });
});
