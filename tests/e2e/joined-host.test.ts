import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnvironmentFile } from '../../cli/slipway/environment-file.js';
import { type ChildProcess, printsReady, startChildProcess, waitUntilReady } from '../../embedded/child-process.js';
import { destroyDomains } from '../../embedded/destroy-domains.js';
import { type HostConfig, readHostConfig } from '../../kvm/host-config.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { writeHostConfig } from '../../kvm/write-host-config.js';
import { type PrivateSystemd, privateSystemdObstacle, startPrivateSystemd } from '../support/private-systemd.js';
import { type Outcome, SlipwayCommand } from '../support/slipway-command.js';
import { type TestDisk, TestInstallation } from '../support/test-installation.js';
import { itUnless } from '../support/unless.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;
const UNIT = 'slipway-host';
const SANDBOXED = ['/usr', '/etc', '/sys/fs/cgroup', '/tmp', '/var/tmp'];
const CREDENTIALS = 'reader:only-for-hosts';

describe('a host of another machine', () => {
  let test: TestInstallation;
  let directory: string;
  let slipway: SlipwayCommand;
  let worker: ChildProcess | undefined;
  let config: HostConfig;
  const inDirectory = (name: string) => path.join(directory, name);

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

  async function hostRow({ hostId }: HostConfig): Promise<Record<string, unknown>> {
    const { host } = await test.client.call('listHosts', { id: hostId });
    return (host as Record<string, unknown>[])[0]!;
  }

  /** A template that only who knows its HTTP header can read. */
  async function secretTemplate(bytesPerSecond?: number): Promise<TestDisk & { id: string }> {
    const disk = await test.disk(16 * MiB);
    test.origin.serve(disk.path, { content: { file: disk.file }, credentials: CREDENTIALS, bytesPerSecond });
    const value = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;
    const details = { 'details[0].HTTP_HEADER:Authorization': value };
    return { id: await test.register(`${test.origin.url}${disk.path}`, undefined, details), ...disk };
  }

  const boots = (vmId: string, nonce: string, { consoleDirectory } = config): Promise<void> =>
    waitFor(`VM ${vmId} writes its nonce`, async () => {
      const file = path.join(consoleDirectory, `${vmId}.log`);
      return (await readFile(file, 'utf8').catch(() => '')).includes(nonce);
    });

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-joined-'));
    slipway = new SlipwayCommand(directory);
    await chmod(directory, 0o711);
    test = await TestInstallation.start({ hosts: 1 });
    // Only hosts that join are to get virtual machines.
    await test.client.call('updateHost', { id: test.installation.hosts[0]!.id, allocationstate: 'Disable' });
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
      slipway.run('host', 'join', '--gateway', gateway(), '--token', await slipway.token(), '--name', 'elsewhere', ...places(),
        '--pool', inDirectory('pool'), '--unit-dir', inDirectory('units'),
        '--temporal-address', test.installation.temporalAddress); // prettier-ignore
    expect(await join()).toMatchObject({ exitCode: 0, output: expect.stringContaining('Host elsewhere') });
    config = await readHostConfig(inDirectory('etc/host.json'));
    for (const name of ['host.json', 'host.env']) {
      expect((await stat(inDirectory(`etc/${name}`))).mode & 0o777).toBe(0o600);
    }
    expect(await slipway.run('doctor', ...places(), '--unit-dir', inDirectory('units'))).toMatchObject({ exitCode: 0 });

    worker = await startWorker();
    await test.isHost(config.hostId, 'Up');
    expect(await hostRow(config)).toMatchObject({
      name: 'elsewhere',
      version: '0.1.0',
      details: { 'libvirt.version': expect.stringMatching(/^\d+\./) as string },
    });

    // The order is sealed to the first key, and carried out when the second one is the host's.
    const slow = await secretTemplate(4 * MiB);
    const before = test.origin.statistics(slow.path).bytes;
    const first = await test.begin(slow.id);
    await waitFor('the download has begun', async () => test.origin.statistics(slow.path).bytes > before + MiB);
    const rotate = ['host', 'rotate-keys', '--gateway', gateway(), ...places()];
    await slipway.done(...rotate, '--token', await slipway.token('--host', 'elsewhere'));
    const rotated = await readHostConfig(inDirectory('etc/host.json'));
    expect(rotated.keyPair).not.toEqual(config.keyPair);
    await test.ended(first.jobid);
    await boots(first.id, slow.nonce);

    const quick = await secretTemplate();
    const second = await test.deploy(quick.id);
    await boots(second, quick.nonce);
    expect(await test.vm(second)).toMatchObject({ hostid: config.hostId, hoststatus: 'Up' });

    expect(await slipway.run('host', 'revoke', 'elsewhere')).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('forced=true') as string,
    });
    expect(await slipway.done('host', 'revoke', 'elsewhere', '--force')).toContain('is revoked');
    await worker.stop();
    worker = await startWorker();
    expect(await test.vm(second)).toMatchObject({ state: 'Running', hoststatus: 'Revoked' });
    await expect(test.run('stopVirtualMachine', { id: second })).rejects.toThrow('was revoked');
    const { jobid } = await test.begin(quick.id);
    await expect(test.ended(jobid)).rejects.toThrow('elsewhere: is Revoked');
    expect(await hostRow(config)).toMatchObject({ state: 'Revoked' });
    // Whoever has the machine has its key, and that is not enough.
    expect(await join()).toMatchObject({ exitCode: 2, output: expect.stringContaining('was revoked') as string });
  });

  itUnless(
    privateSystemdObstacle(),
    'runs as the service that it joined with, which systemd starts again and ends without a loss',
    async () => {
      const systemd = await startPrivateSystemd();
      const service = new SlipwayCommand(directory, systemd.inside);
      // Where hosts have them: below /tmp the service would not have one of its own.
      const etc = await mkdtemp('/etc/slipway-service-');
      const home = await mkdtemp('/var/lib/slipway-service-');
      await chmod(home, 0o711);
      const own = ['--config-dir', etc, '--state-dir', path.join(home, 'state')];
      const property = (name: string) => systemd.systemctl('show', '--value', '--property', name, UNIT);
      const log = () => readFile(systemd.logPath, 'utf8');
      const serves = (times: number) =>
        waitFor(
          `the service serves for the ${times}. time`,
          async () => (await log()).split(/^ready\b/m).length > times,
        );
      try {
        await service.done('host', 'join', '--gateway', gateway(), '--token', await service.token(), ...own,
          '--name', 'in-service', '--pool', path.join(home, 'pool'), '--start',
          '--temporal-address', test.installation.temporalAddress); // prettier-ignore
        const readConfig = () => readHostConfig(path.join(etc, 'host.json'));
        const self = await readConfig();
        await test.isHost(self.hostId, 'Up');
        expect(await systemd.systemctl('is-enabled', UNIT)).toBe('enabled');
        expect(await sandboxOf(systemd, await property('MainPID'))).toEqual({
          hidden: ['/tmp', '/var/tmp'],
          readOnly: ['/etc', '/sys/fs/cgroup', '/usr'],
          noNewPrivileges: '1',
          openFiles: Math.min(65_536, await openFilesOf(systemd, '1')),
          hasAllCapabilities: false,
        });

        // What is left takes longer than the worker waits for it.
        const slow = await secretTemplate(MiB);
        const before = test.origin.statistics(slow.path).bytes;
        const first = await test.begin(slow.id);
        await waitFor('it downloads', async () => test.origin.statistics(slow.path).bytes > before + MiB);
        await systemd.systemctl('stop', UNIT);
        expect(await property('Result')).toBe('success');
        expect(await property('ExecMainStatus')).toBe('0');
        const { bytes, requests } = test.origin.statistics(slow.path);
        expect(bytes - before).toBeLessThan(slow.sizeBytes);
        test.origin.serve(slow.path, { content: { file: slow.file }, credentials: CREDENTIALS });
        await systemd.systemctl('start', UNIT);
        await test.ended(first.jobid);
        await boots(first.id, slow.nonce, self);
        const { ranges } = test.origin.statistics(slow.path);
        expect(ranges.slice(requests)).not.toContain('');
        await serves(2);

        await systemd.systemctl('kill', '--signal', 'SIGKILL', '--kill-whom', 'main', UNIT);
        await serves(3);
        expect(await property('NRestarts')).toBe('1');
        await test.isHost(self.hostId, 'Up');
        const furtherKeyPairs = [{ ...(await generateKeyPair()), until: new Date(0).toISOString() }];
        await writeHostConfig(path.join(etc, 'host.json'), { ...self, furtherKeyPairs });
        await systemd.systemctl('restart', UNIT);
        await serves(4);
        await waitFor('it has forgotten that key', async () => (await readConfig()).furtherKeyPairs?.length === 0);
        expect(await test.vm(first.id)).toMatchObject({ state: 'Running', hostid: self.hostId });
        const next = await secretTemplate();
        const second = await test.deploy(next.id);
        await boots(second, next.nonce, self);
        // None of its guests was started again meanwhile.
        const console = await readFile(path.join(self.consoleDirectory, `${first.id}.log`), 'utf8');
        expect(console.split(slow.nonce)).toHaveLength(2);

        const written = await log();
        for (const secret of [CREDENTIALS, Buffer.from(CREDENTIALS).toString('base64'), self.keyPair.secretKey]) {
          expect(written).not.toContain(secret);
        }
        for (const id of [first.id, second]) await test.expunge(id);
        await service.done('host', 'leave', ...own);
        expect(await property('LoadState')).toBe('not-found');
        const left = [etc, home].map((place) => readdir(place, { recursive: true, withFileTypes: true }));
        expect((await Promise.all(left)).flat().filter((entry) => !entry.isDirectory())).toEqual([]);
      } finally {
        await systemd.stop();
        for (const place of [etc, home]) await rm(place, { recursive: true, force: true });
      }
    },
  );
});

/** What the service with this process sees and may do. */
async function sandboxOf(systemd: PrivateSystemd, pid: string): Promise<Record<string, unknown>> {
  const read = async (file: string) => readProcess(systemd, pid, file);
  const mounts = (await read('mountinfo')).split('\n').map((line) => line.split(' '));
  const status = await read('status');
  const places = (isMeant: (options: string, root: string) => boolean) =>
    mounts
      .filter(([, , , root = '', place = '', options = '']) => SANDBOXED.includes(place) && isMeant(options, root))
      .map(([, , , , place = '']) => place)
      .toSorted((a, b) => a.localeCompare(b));
  return {
    hidden: places((_, root) => root.includes('/systemd-private-')),
    readOnly: places((options) => options.startsWith('ro')),
    noNewPrivileges: /^NoNewPrivs:\s*(\d)/m.exec(status)?.[1],
    openFiles: await openFilesOf(systemd, pid),
    hasAllCapabilities: /^CapBnd:\s*0*([1-9a-f]*f{9,})/m.test(status),
  };
}

const readProcess = async ({ inside }: PrivateSystemd, pid: string, file: string): Promise<string> =>
  (await inside('cat', [`/proc/${pid}/${file}`], {})).stdout;

/** Also of systemd itself: it gives no more than it may have, which in a container can be less than a unit asks for. */
async function openFilesOf(systemd: PrivateSystemd, pid: string): Promise<number> {
  const limits = await readProcess(systemd, pid, 'limits');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1]);
}
