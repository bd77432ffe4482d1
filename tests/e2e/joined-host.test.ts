import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseEnvironmentFile } from '../../cli/slipway/environment-file.js';
import { type ChildProcess, printsReady, startChildProcess, waitUntilReady } from '../../embedded/child-process.js';
import { destroyDomains } from '../../embedded/destroy-domains.js';
import { type HostConfig, readHostConfig } from '../../kvm/host-config.js';
import { TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;
const CREDENTIALS = 'reader:only-for-hosts';
const SLIPWAY = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'slipway', 'main.js');

interface Outcome {
  exitCode: number;
  output: string;
}

describe('a host of another machine', () => {
  let test: TestInstallation;
  let directory: string;
  let worker: ChildProcess | undefined;
  let config: HostConfig;
  const inDirectory = (name: string) => path.join(directory, name);

  /** Runs `slipway` with the keys of the admin beside it, and nothing of this installation else. */
  async function slipway(...args: string[]): Promise<Outcome> {
    const env = { PATH: process.env['PATH'], SLIPWAY_CREDENTIALS: inDirectory('credentials.json') };
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [SLIPWAY, ...args], { env });
      return { exitCode: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { exitCode: code, output: stdout + stderr };
    }
  }
  async function done(...args: string[]): Promise<string> {
    const { exitCode, output } = await slipway(...args);
    if (exitCode !== 0) throw new Error(`slipway ${args.join(' ')} ended with ${exitCode}: ${output}`);
    return output;
  }
  const token = async (...args: string[]): Promise<string> => {
    await writeFile(inDirectory('token'), await done('host', 'token', ...args), { mode: 0o600 });
    return `@${inDirectory('token')}`;
  };
  const gateway = (): string => test.installation.endpoints[0]!;
  const places = (): string[] => ['--config-dir', inDirectory('etc'), '--state-dir', inDirectory('state')];

  /** Starts what the unit says, as systemd would. */
  async function startWorker(): Promise<ChildProcess> {
    const unit = await readFile(inDirectory('units/slipway-host.service'), 'utf8');
    const [command = '', ...args] = [.../^ExecStart=(.*)$/m.exec(unit)![1]!.matchAll(/"([^"]*)"/g)].map(
      ([, word]) => word!,
    );
    const variables = parseEnvironmentFile(await readFile(inDirectory('etc/host.env'), 'utf8'));
    const child = await startChildProcess({
      name: 'joined host',
      command,
      args,
      env: { PATH: process.env['PATH'], ...variables },
      logPath: inDirectory('worker.log'),
    });
    await waitUntilReady(child, printsReady(child), 30_000);
    return child;
  }

  async function hostRow(): Promise<Record<string, unknown>> {
    const { host } = await test.client.call('listHosts', { id: config.hostId });
    return (host as Record<string, unknown>[])[0]!;
  }

  /** A template that only who knows its HTTP header can read. */
  async function secretTemplate(bytesPerSecond?: number): Promise<{ id: string; nonce: string; path: string }> {
    const disk = await test.disk(16 * MiB);
    test.origin.serve(disk.path, { content: { file: disk.file }, credentials: CREDENTIALS, bytesPerSecond });
    const value = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;
    const details = { 'details[0].HTTP_HEADER:Authorization': value };
    return { id: await test.register(`${test.origin.url}${disk.path}`, undefined, details), ...disk };
  }

  const boots = (vmId: string, nonce: string): Promise<void> =>
    waitFor(`VM ${vmId} writes its nonce`, async () => {
      const file = path.join(config.consoleDirectory, `${vmId}.log`);
      return (await readFile(file, 'utf8').catch(() => '')).includes(nonce);
    });

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-joined-'));
    await chmod(directory, 0o711);
    test = await TestInstallation.start({ hosts: 1 });
    await writeFile(inDirectory('credentials.json'), JSON.stringify(test.installation.credentials), { mode: 0o600 });
  });
  afterAll(async () => {
    await worker?.stop();
    if (config) {
      const [pool] = config.pools;
      const { hostId: id, installationId } = config;
      await destroyDomains(
        { ...config, id, poolId: pool!.poolId, poolPath: pool!.path, configPath: '' },
        installationId,
      );
    }
    await test.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('joins by a token, serves, changes its keys in the middle of an order, and is worth nothing once revoked', async () => {
    const join = async (): Promise<Outcome> =>
      slipway('host', 'join', '--gateway', gateway(), '--token', await token(), '--name', 'elsewhere', ...places(),
        '--pool', inDirectory('pool'), '--unit-dir', inDirectory('units'),
        '--temporal-address', test.installation.temporalAddress); // prettier-ignore
    expect(await join()).toMatchObject({ exitCode: 0, output: expect.stringContaining('Host elsewhere') });
    config = await readHostConfig(inDirectory('etc/host.json'));
    for (const name of ['host.json', 'host.env']) {
      expect((await stat(inDirectory(`etc/${name}`))).mode & 0o777).toBe(0o600);
    }
    expect(await slipway('doctor', ...places(), '--unit-dir', inDirectory('units'))).toMatchObject({ exitCode: 0 });

    worker = await startWorker();
    await test.isHost(config.hostId, 'Up');
    expect(await hostRow()).toMatchObject({
      name: 'elsewhere',
      version: '0.1.0',
      details: { 'libvirt.version': expect.stringMatching(/^\d+\./) as string },
    });
    const { id: otherHost } = test.installation.hosts[0]!;
    await test.client.call('updateHost', { id: otherHost, allocationstate: 'Disable' });

    // The order is sealed to the first key, and carried out when the second one is the host's.
    const slow = await secretTemplate(4 * MiB);
    const before = test.origin.statistics(slow.path).bytes;
    const first = await test.begin(slow.id);
    await waitFor('the download has begun', async () => test.origin.statistics(slow.path).bytes > before + MiB);
    const rotate = ['host', 'rotate-keys', '--gateway', gateway(), ...places()];
    await done(...rotate, '--token', await token('--host', 'elsewhere'));
    const rotated = await readHostConfig(inDirectory('etc/host.json'));
    expect(rotated.keyPair).not.toEqual(config.keyPair);
    await test.ended(first.jobid);
    await boots(first.id, slow.nonce);

    const quick = await secretTemplate();
    const second = await test.deploy(quick.id);
    await boots(second, quick.nonce);
    expect(await test.vm(second)).toMatchObject({ hostid: config.hostId, hoststatus: 'Up' });

    expect(await slipway('host', 'revoke', 'elsewhere')).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('forced=true') as string,
    });
    expect(await done('host', 'revoke', 'elsewhere', '--force')).toContain('is revoked');
    await worker.stop();
    worker = await startWorker();
    expect(await test.vm(second)).toMatchObject({ state: 'Running', hoststatus: 'Revoked' });
    await expect(test.run('stopVirtualMachine', { id: second })).rejects.toThrow('was revoked');
    const { jobid } = await test.begin(quick.id);
    await expect(test.ended(jobid)).rejects.toThrow('elsewhere: is Revoked');
    expect(await hostRow()).toMatchObject({ state: 'Revoked' });
    // Whoever has the machine has its key, and that is not enough.
    expect(await join()).toMatchObject({ exitCode: 2, output: expect.stringContaining('was revoked') as string });
  });
});
