import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootObstacle } from '../../tests/support/obstacles.js';
import { itUnless } from '../../tests/support/unless.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { confiningCommand } from './confining-command.js';
import { endedBy } from './ended-by.js';
import { createSpawnConfined, type Confinement, type SpawnConfined } from './spawn-confined.js';

const MIB = 1024 ** 2;
const notRoot = rootObstacle('to have rights that are taken away');
const isRoot = notRoot === undefined;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway confined-'));
});

afterEach(() => rm(directory, { recursive: true }));

const LIMITS: Confinement = {
  stdio: ['ignore', 'pipe', 'pipe'],
  hasNetwork: false,
  maxCpuSeconds: 20,
  maxAddressSpaceBytes: 512 * MIB,
  maxFileBytes: MIB,
};

const warnings: string[] = [];
const confined = createSpawnConfined({ onWeaker: (reason) => warnings.push(reason) });
const withoutNamespaces = createSpawnConfined({
  onWeaker: () => undefined,
  find: (name) => (name === 'bwrap' ? undefined : `/usr/bin/${name}`),
});

interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | undefined;
  stdout: string;
  stderr: string;
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { code, signal: endedBy(code, signal), stdout, stderr };
}

const sh = (script: string, more: Partial<Confinement> = {}, spawnIt: SpawnConfined = confined): Promise<Outcome> =>
  outcomeOf(spawnIt('sh', ['-c', script], { ...LIMITS, ...more }));

const both: [string, SpawnConfined][] = [
  ['in namespaces', confined],
  ['without namespaces', withoutNamespaces],
];

test('should have namespaces here, or the tests below would show little', async () => {
  await sh('true');
  expect(warnings).toEqual([]);
});

/** Command lines of this machine's processes. */
async function commandLines(): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}

describe.each(both)('a program %s', (_name, spawnIt) => {
  it('should leave no process behind, however early it is killed', async () => {
    const seconds = `${1000 + Math.random()}`;
    const children = Array.from({ length: 30 }, () => spawnIt('sleep', [seconds], { ...LIMITS, stdio: 'ignore' }));
    await Promise.all(
      children.map(async (child, index) => {
        await sleep(index % 10);
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }),
    );
    await waitFor('all to be gone', async () => !(await commandLines()).some((line) => line.includes(seconds)));
  });

  it('should say what it has to say and end as it ends', async () => {
    expect(await sh('echo out; echo err >&2; exit 3', {}, spawnIt)).toEqual({
      code: 3,
      signal: undefined,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('should be nobody, with no privilege left and none to gain', async () => {
    const { stdout } = await sh('grep -E "^(Uid|Cap|NoNewPrivs|Groups)" /proc/self/status', {}, spawnIt);
    if (isRoot) expect(stdout).toMatch(/^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    expect(stdout).toMatch(/^CapEff:\s+0+$/m);
    expect(stdout).toMatch(/^CapPrm:\s+0+$/m);
    if (isRoot) expect(stdout).toMatch(/^CapBnd:\s+0+$/m);
    expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  it('should have no environment of ours', async () => {
    process.env['SLIPWAY_TEST_SECRET'] = 'hunter2';
    const original = process.env['PATH'];
    process.env['PATH'] = `/root/bin:${original}`;
    try {
      const { stdout } = await sh('env', { env: { GIVEN: 'yes' } }, spawnIt);
      expect(stdout).toContain('GIVEN=yes');
      expect(stdout).not.toContain('hunter2');
      expect(stdout).toMatch(/^PATH=(?!.*root).*\/usr\/bin/m);
    } finally {
      delete process.env['SLIPWAY_TEST_SECRET'];
      process.env['PATH'] = original;
    }
  });

  it('should read a file it is given, below a directory closed to it', async () => {
    const path = join(directory, 'given');
    await writeFile(path, 'content');
    await chmod(path, 0o644);
    await chmod(directory, 0o700);
    const file = await open(path, 'r');
    try {
      const stdio: Confinement['stdio'] = ['ignore', 'pipe', 'pipe', file.fd];
      expect(await sh('cat /proc/self/fd/3', { stdio }, spawnIt)).toMatchObject({ code: 0, stdout: 'content' });
    } finally {
      await file.close();
    }
  });

  it('should not write more into a file than it may, even through a descriptor', async () => {
    const path = join(directory, 'output');
    const file = await open(path, 'w');
    try {
      const stdio: Confinement['stdio'] = ['ignore', file.fd, 'pipe'];
      const { signal } = await sh('exec head -c 9000000 /dev/zero', { stdio, maxFileBytes: 4096 }, spawnIt);
      expect(signal).toBe('SIGXFSZ');
    } finally {
      await file.close();
    }
    expect((await stat(path)).size).toBe(4096);
  });

  it('should be ended at its limit of processor time', async () => {
    expect(await sh('while :; do :; done', { maxCpuSeconds: 1 }, spawnIt)).toMatchObject({ signal: 'SIGXCPU' });
  });

  it('should be killed when it ignores that limit', async () => {
    const script = 'trap "" XCPU; while :; do :; done';
    expect(await sh(script, { maxCpuSeconds: 1 }, spawnIt)).toMatchObject({ signal: 'SIGKILL' });
  });

  it('should not get more memory than it may', async () => {
    const script = 'head -c 300000000 /dev/zero | tail -c 300000000 | wc -c';
    const limited = await sh(script, { maxAddressSpaceBytes: 64 * MIB }, spawnIt);
    expect(limited.stdout).not.toContain('300000000');
    expect(limited.stderr).toMatch(/memory/);
  });

  it('should be told apart from one that is missing', async () => {
    expect(await outcomeOf(spawnIt('no-such-program', [], LIMITS))).toMatchObject({ code: 127 });
  });

  it('should end with all that it started when it is killed', async () => {
    const child = spawnIt('sh', ['-c', 'sleep 600 & sleep 600 & echo started; wait'], LIMITS);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGKILL');
    // The pipe ends only when the last of them has let go of it.
    expect(await outcomeOf(child)).toMatchObject({ signal: 'SIGKILL' });
  });
});

test('should not see a file of this host', async () => {
  const path = join(directory, 'secret');
  await writeFile(path, 'secret');
  await chmod(path, 0o644);
  await chmod(directory, 0o755);
  const { stdout, stderr } = await sh(`cat '${path}' /etc/passwd /etc/hostname; ls /root /home /var /run /tmp /sys`);
  expect(stdout).toBe('');
  expect(stderr.match(/No such file or directory/g)).toHaveLength(9);
});

test('should not find a place to write to', async () => {
  const { stdout } = await sh(
    'for d in / /dev /dev/shm /etc /usr /proc/sys/kernel; do touch $d/x 2>/dev/null && echo $d; done',
  );
  expect(stdout).toBe('');
});

test('should not see another process', async () => {
  const { stdout } = await sh('cd /proc && echo [0-9]*');
  // Its guard and itself.
  expect(stdout.trim()).toBe('1 2');
});

test('should read the files that are named, below directories closed to it', async () => {
  const path = join(directory, 'named');
  await writeFile(path, 'content');
  await chmod(path, 0o644);
  await chmod(directory, 0o700);
  expect(await sh(`cat '${path}'`, { readablePaths: [path] })).toMatchObject({ code: 0, stdout: 'content' });
});

describe('a server of this host', () => {
  const server = createServer((socket) => socket.end('hello'));
  let command: string;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    command = `exec 3<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port} && cat <&3`;
  });

  afterAll(() => {
    server.close();
  });

  test.each([
    [true, 'hello'],
    [false, ''],
  ])('should be reached when hasNetwork is %s: %j', async (hasNetwork, answer) => {
    const outcome = await outcomeOf(confined('bash', ['-c', command], { ...LIMITS, hasNetwork }));
    expect(outcome.stdout).toBe(answer);
  });
});

itUnless(
  rootObstacle('to have a privilege'),
  'should keep the privilege to bind low ports when it may, and no other',
  async () => {
    const { stdout } = await sh('grep Cap /proc/self/status', { hasNetwork: true, canBindLowPorts: true });
    expect(new Set(stdout.match(/[0-9a-f]{16}/g))).toEqual(new Set(['0000000000000400']));
  },
);

test('should die with whoever started it', async () => {
  const command = confiningCommand(
    { prlimit: '/usr/bin/prlimit', setpriv: '/usr/bin/setpriv', bwrap: '/usr/bin/bwrap' },
    isRoot,
    LIMITS,
  );
  const [guard, ...args] = [...command, 'sh', '-c', 'sleep 600 & echo started; wait'];
  const program = `require('node:child_process').spawn(process.argv[1], process.argv.slice(2), { stdio: 'inherit' })`;
  const starter = spawn(process.execPath, ['-e', program, '--', guard ?? '', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(starter.stdout, 'data');
  starter.kill('SIGKILL');
  expect(await text(starter.stdout)).toBe('');
});

test('should say once why programs run without namespaces', async () => {
  const reasons: string[] = [];
  const weaker = createSpawnConfined({
    onWeaker: (reason) => reasons.push(reason),
    find: (name) => (name === 'bwrap' ? '/bin/false' : `/usr/bin/${name}`),
  });
  expect(await sh('true', {}, weaker)).toMatchObject({ code: 0 });
  expect(await sh('true', {}, weaker)).toMatchObject({ code: 0 });
  expect(reasons).toEqual(['bubblewrap ended with exit code 1']);
});

test('should try again whether there are namespaces, seldom, and use them from then on', async () => {
  const reasons: string[] = [];
  let [nowMs, bwrap, tries] = [0, '/bin/false', 0];
  const recovering = createSpawnConfined({
    onWeaker: (reason) => reasons.push(reason),
    find: (name) => {
      if (name === 'bwrap') tries++;
      return name === 'bwrap' ? bwrap : `/usr/bin/${name}`;
    },
    nowMs: () => nowMs,
  });
  const isConfined = async () => (await sh('[ -e /root ]', {}, recovering)).code !== 0;
  for (nowMs = 0; nowMs < 24 * 3_600_000; nowMs += 30_000) recovering.problem();
  expect(tries).toBeLessThan(40);
  expect(await isConfined()).toBe(false);
  expect(recovering.problem()).toBe('bubblewrap ended with exit code 1');
  bwrap = '/usr/bin/bwrap';
  nowMs += 3_600_000;
  expect(await isConfined()).toBe(true);
  expect([recovering.problem(), reasons]).toEqual([undefined, ['bubblewrap ended with exit code 1']]);
});

itUnless(
  notRoot,
  'should open a file that nobody may, when it keeps our user id, and still do nothing else',
  async () => {
    const path = join(directory, 'private');
    await writeFile(path, 'content');
    await chmod(path, 0o600);
    const file = await open(path, 'r');
    const stdio: Confinement['stdio'] = ['ignore', 'pipe', 'pipe', file.fd];
    const script =
      'cat /proc/self/fd/3; [ -w /proc/sys/kernel/core_pattern ] && echo writable; ls /root; grep CapEff /proc/self/status';
    const { stdout, stderr } = await sh(script, { stdio, keepsUserId: true });
    await file.close();
    expect(stdout).toMatch(/^contentCapEff:\s0+\n$/);
    expect(stderr).toMatch(/No such file/);
  },
);

test('should show none of our environment to the program that tries whether there are namespaces', async () => {
  const bwrap = join(directory, 'bwrap');
  await writeFile(bwrap, '#!/bin/sh\nenv >&2\nexit 1\n');
  await chmod(bwrap, 0o755);
  let said = '';
  const tried = createSpawnConfined({
    onWeaker: (reason) => (said = reason),
    find: (name) => (name === 'bwrap' ? bwrap : `/usr/bin/${name}`),
  });
  await outcomeOf(tried('true', [], LIMITS));
  const names = said.match(/^\w+(?==)/gm) ?? [];
  // The rest is the shell's own.
  const known = new Set(['PATH', 'LC_ALL', 'PWD', 'OLDPWD', 'SHLVL', '_']);
  expect(names).toContain('PATH');
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

test('should not run a program for which a limit is no number', async () => {
  expect((await sh('true', { maxFileBytes: NaN })).code).not.toBe(0);
});
