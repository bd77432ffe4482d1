import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { rootObstacle } from '../../tests/support/obstacles.js';
import { describeUnless } from '../../tests/support/unless.js';
import { createGuestNetwork, type RunIp } from './guest-network.js';

test.each([
  ['a bridge', {}, null, /no bridge for guests/],
  ['an interface for VLANs', { bridge: 'br0' }, 100, /no interface for VLANs/],
  ['VLAN 0', { vlanInterface: 'eth0' }, 0, /no VLAN/],
  ['VLAN 4095', { vlanInterface: 'eth0' }, 4095, /no VLAN/],
  ['half a VLAN', { vlanInterface: 'eth0' }, 1.5, /no VLAN/],
])('should say that a host has not %s', async (_name, options, vlan, message) => {
  await expect(createGuestNetwork(options)(vlan)).rejects.toMatchObject({
    code: 'SLIPWAY_HYPERVISOR',
    message: expect.stringMatching(message) as string,
  });
});

test('should attach guests without a VLAN to the bridge of the host, and change nothing', async () => {
  const run: RunIp = () => Promise.reject(new Error('nothing is to be run'));
  expect(await createGuestNetwork({ bridge: 'br0' }, run)(null)).toBe('br0');
});

/** What the tests ask of `ip`, on links in memory: for machines whose kernel has no VLANs, or that need no root. */
function memoryIp(): RunIp {
  const links = new Map<string, { flags: string[]; [key: string]: unknown }>();
  const add = (words: readonly string[]): void => {
    const value = (key: string): string | undefined => words[words.indexOf(key) + 1];
    const [name, kind] = [value('name')!, value('type')!];
    const options = words.slice(words.indexOf('type') + 2);
    if (links.has(name)) throw new Error('RTNETLINK answers: File exists');
    const link = words[0] === 'link' ? { link: words[1]! } : {};
    if (link.link !== undefined && !links.has(link.link)) throw new Error(`Cannot find device "${link.link}"`);
    const pairs = options.flatMap((key, index) => (index % 2 === 0 ? [[key, Number(options[index + 1])]] : []));
    const data = { ...(Object.fromEntries(pairs) as object), ...(kind === 'vlan' ? { protocol: '802.1Q' } : {}) };
    links.set(name, { ...link, flags: [], linkinfo: { info_kind: kind, info_data: data } });
  };
  const set = (found: { flags: string[]; [key: string]: unknown }, words: readonly string[]): void => {
    const value = (key: string): string | undefined => words[words.indexOf(key) + 1];
    if (words.includes('addrgenmode')) found['inet6_addr_gen_mode'] = value('addrgenmode');
    if (words.includes('master')) found['master'] = value('master');
    if (words.includes('nomaster')) delete found['master'];
    if (words.includes('up')) found.flags = ['UP'];
    if (words.includes('down')) found.flags = [];
  };
  return async (args) => {
    const [verb, ...words] = args.slice(args.indexOf('link') + 1);
    await Promise.resolve();
    if (verb === 'add') {
      add(words);
      return '';
    }
    const name = words[1]!;
    const found = links.get(name);
    if (!found) throw new Error(`Device "${name}" does not exist.`);
    if (verb === 'del') links.delete(name);
    if (verb === 'set') set(found, words.slice(2));
    return JSON.stringify([found]);
  };
}

/** In the network namespace of a process. */
const kernelIp =
  (holder: ChildProcess): RunIp =>
  async (args) => {
    const inNamespace = ['--target', String(holder.pid), '--net', '--', 'ip', ...args];
    try {
      return (await promisify(execFile)('nsenter', inNamespace)).stdout;
    } catch (error) {
      throw new Error((error as { stderr: string }).stderr.trim(), { cause: error });
    }
  };

function vlanObstacle(): string | undefined {
  const obstacle = rootObstacle('to make a network namespace');
  if (obstacle !== undefined) return obstacle;
  const add = ['ip', 'link', 'add', 'link', 'lo', 'name', 'v0', 'type', 'vlan', 'id', '1'];
  return spawnSync('unshare', ['--net', '--', ...add]).status === 0
    ? undefined
    : 'needs a kernel that has VLANs (802.1Q)';
}

describe('VLANs in memory', () => {
  testVlans(memoryIp);
});

describeUnless(vlanObstacle(), 'VLANs of the kernel', () => {
  let holder: ChildProcess;
  beforeEach(async () => {
    holder = spawn('unshare', ['--net', '--', 'sh', '-c', 'echo ready; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout!, 'data');
  });
  afterEach(() => void holder.kill('SIGKILL'));

  testVlans(() => kernelIp(holder));
});

function testVlans(newIp: () => RunIp): void {
  let calls: string[];
  let ip: RunIp;

  beforeEach(async () => {
    const run = newIp();
    calls = [];
    ip = (args) => {
      calls.push(args.join(' '));
      return run(args);
    };
    await ip(['link', 'add', 'name', 'up0', 'type', 'bridge']);
  });

  const network = () => createGuestNetwork({ vlanInterface: 'up0' }, ip);
  const link = async (name: string): Promise<unknown> =>
    (JSON.parse(await ip(['-json', '-details', 'link', 'show', 'dev', name])) as unknown[])[0];

  test('should have a bridge of their own each, on the tagged interface, that the host has no address on', async () => {
    expect(await network()(100)).toBe('slipbr-100');
    expect(await network()(4094)).toBe('slipbr-4094');
    expect(await link('slipbr-100')).toMatchObject({
      flags: expect.arrayContaining(['UP']) as string[],
      inet6_addr_gen_mode: 'none',
      linkinfo: { info_kind: 'bridge', info_data: { stp_state: 0, forward_delay: 0 } },
    });
    expect(await link('slipvl-100')).toMatchObject({
      link: 'up0',
      master: 'slipbr-100',
      flags: expect.arrayContaining(['UP']) as string[],
      linkinfo: { info_kind: 'vlan', info_data: { protocol: '802.1Q', id: 100 } },
    });
  });

  test('should be made once, by however many guests at once, and only be looked at then', async () => {
    const [one, other] = [network(), network()];
    expect(await Promise.all([one(7), one(7), other(7)])).toEqual(Array(3).fill('slipbr-7'));
    calls = [];
    expect(await one(7)).toBe('slipbr-7');
    expect(calls.filter((call) => !call.includes('link show'))).toEqual([]);
  });

  test('should be put together again when somebody took them apart', async () => {
    await network()(7);
    await ip(['link', 'set', 'dev', 'slipvl-7', 'nomaster', 'down']);
    await network()(7);
    expect(await link('slipvl-7')).toMatchObject({ master: 'slipbr-7' });
  });

  test.each([
    ['another interface', ['link', 'up1', 'name', 'slipvl-7', 'type', 'vlan', 'id', '7']],
    ['another VLAN', ['link', 'up0', 'name', 'slipvl-7', 'type', 'vlan', 'id', '8']],
    ['something that is no VLAN', ['name', 'slipvl-7', 'type', 'ifb']],
    ['no bridge', ['name', 'slipbr-7', 'type', 'ifb']],
  ])('should not be joined with what has their name and is of %s', async (_name, add) => {
    await ip(['link', 'add', 'name', 'up1', 'type', 'bridge']);
    await ip(['link', 'add', ...add]);
    await expect(network()(7)).rejects.toMatchObject({ code: 'SLIPWAY_HYPERVISOR' });
  });

  test("should pass on the kernel's reason when they cannot be had", async () => {
    await ip(['link', 'del', 'dev', 'up0']);
    await expect(network()(7)).rejects.toMatchObject({
      code: 'SLIPWAY_HYPERVISOR',
      message: expect.stringMatching(/^VLAN 7 cannot be had on up0: .+/) as string,
    });
  });
}
