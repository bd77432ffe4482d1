import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type CertificateAuthority, createAuthority } from '../support/certificate-authority.js';
import { TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;
const ADVICE = 'upload the certificate of its authority with uploadTemplateDirectDownloadCertificate';

describe('images from a server whose authority nobody knows', () => {
  let test: TestInstallation;
  let directory: string;
  let authority: CertificateAuthority;
  let server: Server;
  let baseUrl: string;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 2 });
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-authority-'));
    authority = await createAuthority(directory, 'Corporate root');
    const middle = await authority.createSubordinate('Image servers');
    const { certificate, key } = await middle.issue('images', ['IP:127.0.0.1']);
    // It serves what the origin of the tests has, and sends its chain up to the root.
    server = createServer(
      { cert: `${await readFile(certificate, 'utf8')}${middle.certificatePem}`, key: await readFile(key) },
      ({ url, method, headers }, response) =>
        request(`${test.origin.url}${url}`, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(response);
        })
          .on('error', () => response.destroy())
          .end(),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await test.stop();
    await rm(directory, { recursive: true });
  });

  const zoneId = async () => ((await test.client.call('listZones')) as { zone: { id: string }[] }).zone[0]!.id;
  const statuses = (hosts: unknown) =>
    Object.fromEntries((hosts as { hostname: string; status: string }[]).map((one) => [one.hostname, one.status]));
  const upload = async () => {
    const { uploadtemplatedirectdownloadcertificate: uploaded } = await test.client.call(
      'uploadTemplateDirectDownloadCertificate',
      { certificate: authority.certificatePem, name: 'corporate', hypervisor: 'KVM', zoneid: await zoneId() },
    );
    return statuses((uploaded as { hostsmap: unknown }).hostsmap);
  };
  const listed = async () => {
    const { directdownloadcertificate } = await test.client.call('listTemplateDirectDownloadCertificates', {
      listhosts: true,
    });
    return statuses((directdownloadcertificate as { hostsmap: unknown }[])[0]!.hostsmap);
  };

  it('are refused, deployed once its certificate was uploaded, and refused again once it was revoked', async () => {
    const [first, second] = test.installation.hosts.map(({ name }) => name) as [string, string];
    const disk = await test.disk(16 * MiB);
    const register = () => test.register(`${baseUrl}${disk.path}`, `{SHA-256}${disk.sha256}`);
    await expect(register()).rejects.toThrow(ADVICE);

    const { worker, id: secondId } = test.installation.hosts[1]!;
    await worker.stop();
    await test.isHost(secondId, 'Down');
    expect(await upload()).toEqual({ [first]: 'UPLOADED', [second]: 'SKIPPED' });
    await worker.restart();
    await test.isHost(secondId, 'Up');
    expect(await listed()).toEqual({ [first]: 'UPLOADED', [second]: 'UPLOADED' });

    const [deployed, refused] = [await register(), await register()];
    const vms = [await test.deploy(deployed)];
    await test.hasBooted(vms[0]!, disk);

    const revoked = await test.client.call('revokeTemplateDirectDownloadCertificate', {
      name: 'corporate',
      hypervisor: 'KVM',
      zoneid: await zoneId(),
    });
    expect(statuses(revoked['directdownloadcertificatehoststatus'])).toEqual({
      [first]: 'REVOKED',
      [second]: 'REVOKED',
    });
    const { id: failedVm, jobid } = await test.begin(refused);
    // In whichever order they were tried.
    const reason = await test.ended(jobid).catch(String);
    for (const name of [first, second]) expect(reason).toMatch(new RegExp(`${name}: .*${ADVICE}`));

    expect(await upload()).toEqual({ [first]: 'UPLOADED', [second]: 'UPLOADED' });
    vms.push(await test.deploy(refused));
    await test.hasBooted(vms[1]!, disk);

    for (const vmId of [...vms, failedVm]) await test.expunge(vmId);
    await test.leavesNothing();
  });

  it('are trusted again by a host whose certificates were deleted by hand', async () => {
    const [host] = test.installation.hosts;
    const { certificateDirectory } = JSON.parse(await readFile(host!.configPath, 'utf8')) as Record<string, string>;
    const files = async () => (await readdir(certificateDirectory!)).filter((name) => name.endsWith('.pem'));
    expect(await files()).toHaveLength(1);
    for (const name of await files()) await rm(path.join(certificateDirectory!, name));
    await waitFor('they are there again', async () => (await files()).length === 1);
    await waitFor('the host has confirmed it', async () => (await listed())[host!.name] === 'UPLOADED');
  });

  it('have their certificates looked after as often as the setting says, without a restart', async () => {
    const connection = await Connection.connect({ address: test.installation.temporalAddress });
    const schedule = new Client({ connection }).schedule.getHandle('certificate-sync');
    const name = 'direct.download.certificate.background.task.interval';
    const isPaused = async (expected: boolean) =>
      waitFor(`the schedule is ${expected ? '' : 'not '}paused`, async () => {
        const { state } = await schedule.describe();
        return state.paused === expected;
      });
    await isPaused(false);
    await test.client.call('updateConfiguration', { name, value: '0' });
    await isPaused(true);
    await test.client.call('updateConfiguration', { name, value: '3' });
    await isPaused(false);
    expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 3 * 3_600_000 }]);
    await connection.close();
  });
});
