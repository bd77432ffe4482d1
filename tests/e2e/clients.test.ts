import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createAuthority } from '../support/certificate-authority.js';
import { clientObstacle, CS_PYTHON, GO_CLIENT, GO_GENERATOR, LIBCLOUD_PYTHON } from '../support/clients.js';
import { TestInstallation } from '../support/test-installation.js';
import { itUnless } from '../support/unless.js';

const run = promisify(execFile);
const CLIENTS = path.join(import.meta.dirname, '..', 'clients');
const EVERY_COMMAND = path.join(CLIENTS, 'every_command.py');
const LIBCLOUD_NODE = path.join(CLIENTS, 'libcloud_node.py');

/** Of direct download, as CloudStack's documentation lists them. */
const COMMANDS = [
  'registerTemplate',
  'registerIso',
  'listTemplates',
  'listIsos',
  'updateTemplate',
  'createTemplate',
  'deleteTemplate',
  'deleteIso',
  'copyTemplate',
  'extractTemplate',
  'deployVirtualMachine',
  'startVirtualMachine',
  'stopVirtualMachine',
  'destroyVirtualMachine',
  'restoreVirtualMachine',
  'expungeVirtualMachine',
  'attachIso',
  'detachIso',
  'listVirtualMachines',
  'listHosts',
  'listZones',
  'listPods',
  'listDomains',
  'listStoragePools',
  'listOsTypes',
  'listServiceOfferings',
  'listNetworks',
  'listConfigurations',
  'listAsyncJobs',
  'queryAsyncJobResult',
  'updateStoragePool',
  'updateConfiguration',
  'listApis',
  'uploadTemplateDirectDownloadCertificate',
  'revokeTemplateDirectDownloadCertificate',
  'listTemplateDirectDownloadCertificates',
  'provisionTemplateDirectDownloadCertificate',
];

describe('clients of CloudStack', () => {
  let test: TestInstallation;
  let directory: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-clients-'));
    test = await TestInstallation.start({ hosts: 1 });
    const { apiKey, secretKey } = test.installation.credentials;
    env = {
      PATH: process.env['PATH'],
      CLOUDSTACK_ENDPOINT: test.installation.endpoints[0],
      CLOUDSTACK_KEY: apiKey,
      CLOUDSTACK_SECRET: secretKey,
    };
  });
  afterAll(async () => {
    await test?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  itUnless(clientObstacle(CS_PYTHON), 'cs calls every command, and reads JSON and XML', async () => {
    const disk = await test.disk(8 * 1024 ** 2);
    const iso = await test.bootIso();
    const { certificatePem } = await createAuthority(directory);
    const certificate = path.join(directory, 'root.pem');
    await writeFile(certificate, certificatePem);
    const { url } = test.origin;
    const { stdout } = await run(CS_PYTHON, [EVERY_COMMAND, `${url}${disk.path}`, `${url}${iso.path}`, certificate], {
      env,
    });
    expect(JSON.parse(stdout)).toEqual(Object.fromEntries(COMMANDS.map((command) => [command, ['json', 'xml']])));
  });

  itUnless(
    clientObstacle(LIBCLOUD_PYTHON),
    'libcloud makes a machine, which it does not start, and starts it',
    async () => {
      const disk = await test.disk(8 * 1024 ** 2, { isObliging: true });
      const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
      const { stdout } = await run(LIBCLOUD_PYTHON, [LIBCLOUD_NODE, templateId], { env });
      expect(JSON.parse(stdout)).toEqual({
        created: 'stopped',
        listed: [[true, 'stopped']],
        disks: [8 * 1024 ** 2],
        started: 'Running',
        stopped: 'Stopped',
        left: 0,
      });
      await test.leavesNothing();
    },
  );

  itUnless(clientObstacle(GO_CLIENT), 'cloudstack-go registers, deploys, lists, changes and destroys', async () => {
    const disk = await test.disk(8 * 1024 ** 2);
    const args = [`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`];
    const { stdout } = await run(GO_CLIENT, args, { env });
    expect(JSON.parse(stdout)).toMatchObject({
      isReady: true,
      state: 'Running',
      hostName: test.installation.hosts[0]!.name,
      macAddress: expect.stringMatching(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/) as string,
      hostIp: '127.0.0.1',
      tagged: 1,
      tag: 'test',
      offering: 'Medium Instance',
      keyPairs: 'from-go',
      restarted: 'Running',
      nics: 1,
      left: 0,
      errorText: expect.stringContaining('CloudStack API error 431 (CSExceptionErrorCode: 9999)') as string,
    });
    await test.leavesNothing();
  });

  itUnless(clientObstacle(GO_GENERATOR), 'what listApis answers is enough to make cloudstack-go from', async () => {
    const apis = (await test.client.call('listApis')) as { api: { name: string }[] };
    await writeFile(path.join(directory, 'listApis.json'), JSON.stringify(apis));
    // It fails for each command of CloudStack that is not there, and without goimports.
    const failed = run(GO_GENERATOR, ['-api', 'listApis.json'], { cwd: directory, maxBuffer: 1e7 });
    const { stderr } = await failed.catch((error: unknown) => error as { stderr: string });
    const reasons = stderr
      .split('\n')
      .filter((line) => !/Could not find API details|missing in layout|goimport|failed to generate/i.test(line));
    expect(reasons.join('')).toBe('');

    const made = path.join(directory, 'cloudstack');
    const sources = await Promise.all((await readdir(made)).map((file) => readFile(path.join(made, file), 'utf8')));
    const code = sources.join('\n');
    const extensions = [...stderr.matchAll(/missing in layout: (\w+)/g)].map(([, name]) => name!);
    const names = apis.api.map(({ name }) => name).filter((name) => !extensions.includes(name));
    const isMade = (name: string) => code.includes(`) ${name[0]!.toUpperCase()}${name.slice(1)}(p *`);
    expect(names.filter((name) => !isMade(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(60);
  });
});
