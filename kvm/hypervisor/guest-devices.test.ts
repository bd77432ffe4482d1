import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildBootDisk } from '../../demo/boot-disk.js';
import type { DomainSpec, GuestSecrets, RootDisk } from '../../shared/virtual-machines.js';
import { buildBootIso } from '../../tests/support/boot-iso.js';
import { ensureLibvirtd } from '../../tests/support/libvirtd.js';
import { makePool } from '../../tests/support/test-pool.js';
import type { FilesystemPool } from '../storage/filesystem-pool.js';
import { readCdrom } from './domain-xml.js';
import { LibvirtDriver } from './libvirt-driver.js';

jest.setTimeout(60_000);

const MIB = 1024 ** 2;
const URI = 'qemu:///system';
const POOL_ID = randomUUID();
const NAME = `d${randomBytes(4).toString('hex')}`;
const PASSWORD = 'Tp4sS-w0';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPqrs me@example';
const GUEST: GuestSecrets = { hostName: 'guest', sshPublicKeys: [], vncPassword: PASSWORD };

let directory: string;
let pool: FilesystemPool;
let driver: LibvirtDriver;
/** File names on the pool. */
let template: string;
let iso: string;
let otherIso: string;

const run = promisify(execFile);
const virsh = async (...args: string[]): Promise<string> => (await run('virsh', ['-q', '-c', URI, ...args])).stdout;
const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

beforeAll(async () => {
  await ensureLibvirtd();
  directory = await mkdtemp(join(tmpdir(), 'slipway-devices-'));
  await chmod(directory, 0o711);
  pool = await makePool(directory, POOL_ID);
  const install = async (format: 'QCOW2' | 'ISO', build: (path: string) => Promise<void>): Promise<string> => {
    const ref = { templateId: randomUUID(), generation: 1, epoch: 1 };
    await build(pool.partialPath(ref));
    return (await pool.installTemplate(ref, format, false)).installPath;
  };
  template = await install('QCOW2', (path) =>
    buildBootDisk(path, { nonce: `${NAME}-disk`, sizeBytes: MIB, format: 'QCOW2' }),
  );
  iso = await install('ISO', (path) => buildBootIso(path, { nonce: `${NAME}-iso` }));
  otherIso = await install('ISO', (path) => buildBootIso(path, { nonce: `${NAME}-other` }));
  driver = driverWith({});
});

afterAll(async () => {
  await endDomains();
  await rm(directory, { recursive: true });
});

async function endDomains(): Promise<void> {
  const mine = (await virsh('list', '--all', '--name')).split('\n').filter((name) => name.includes(NAME));
  await Promise.all(mine.map((name) => virsh('destroy', name)));
}

const consoleDirectory = (): string => join(directory, 'console');
const driverWith = (options: Pick<ConstructorParameters<typeof LibvirtDriver>[0], 'guestNetwork'>): LibvirtDriver =>
  new LibvirtDriver({
    uri: URI,
    installationId: 'test',
    hostId: NAME,
    consoleDirectory: consoleDirectory(),
    poolPath: () => directory,
    ...options,
  });

const OVERLAY = (): RootDisk => ({ type: 'overlay', template, templateFormat: 'QCOW2', sizeBytes: null });
const BLANK: RootDisk = { type: 'blank', sizeBytes: MIB };

async function newVm(disk: RootDisk, differing: Partial<DomainSpec> = {}): Promise<DomainSpec> {
  const vmId = randomUUID();
  const { fileName } = await pool.createRootVolume({ volumeId: vmId, token: 1, disk });
  return {
    vmId,
    instanceName: `${NAME}-${vmId.slice(0, 8)}`,
    displayName: 'guest',
    cpus: 1,
    memoryBytes: 32 * MIB,
    poolId: POOL_ID,
    rootVolume: fileName,
    iso: null,
    bootsFromIso: false,
    nics: [],
    sealedGuest: '',
    ...differing,
  };
}

/** The test's own time limit is the deadline. */
async function boots({ vmId }: DomainSpec, nonce: string): Promise<void> {
  while (!(await driver.readConsole(vmId, MIB)).includes(`SLIPWAY-BOOT ${NAME}-${nonce}\r\n`)) await sleep(50);
}

const disc = async ({ vmId }: DomainSpec): Promise<string | null | undefined> =>
  readCdrom(await virsh('dumpxml', vmId))?.iso;

test('should boot two VMs from one ISO, one of which got it while it ran, and leave that to its owner', async () => {
  const before = await stat(join(directory, iso));
  const [installing, empty] = [await newVm(BLANK, { iso, bootsFromIso: true }), await newVm(BLANK)];
  await Promise.all([installing, empty].map((vm) => driver.startDomain(vm, 1, GUEST)));
  await driver.changeIso(empty.vmId, { poolId: POOL_ID, iso });
  // From its disk first, on which there is nothing to boot.
  await driver.rebootDomain(empty.vmId, { isForced: true, timeoutMs: 0 });
  await Promise.all([installing, empty].map((vm) => boots(vm, 'iso')));
  await driver.destroyDomain(installing.vmId);
  const { uid, gid, mode } = await stat(join(directory, iso));
  expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode });
  await driver.destroyDomain(empty.vmId);
});

describe('a VM with everything', () => {
  const macAddress = '02:00:4c:00:00:01';
  const guest = { ...GUEST, sshPublicKeys: [KEY] };
  const seeds = (): Promise<string[]> => readdir(join(consoleDirectory(), 'seeds'));
  let vm: DomainSpec;

  beforeAll(async () => {
    const whole: RootDisk = { type: 'copy', template, templateFormat: 'QCOW2', sizeBytes: null };
    vm = await newVm(whole, { iso, nics: [{ macAddress, type: 'User', vlan: null }] });
    await driver.startDomain(vm, 1, guest);
  });
  afterAll(endDomains);

  test('should boot from its disk, a copy that stands on nothing, with a disc in the drive', async () => {
    await boots(vm, 'disk');
  });

  test("should have QEMU's own network", async () => {
    expect(await virsh('domiflist', vm.vmId)).toMatch(new RegExp(`user +- +virtio +${macAddress}`));
  });

  test("should have its seed in a drive of its own, which is QEMU's alone", async () => {
    const path = join(consoleDirectory(), 'seeds', `${vm.vmId}.iso`);
    expect(await virsh('domblklist', vm.vmId)).toMatch(new RegExp(`sdb +${path}`));
    const { mode, uid } = await stat(path);
    expect(mode & 0o777).toBe(0o600);
    expect(uid).toBe(Number((await run('id', ['-u', 'libvirt-qemu'])).stdout));
  });

  test('should have its display on the loopback, behind a password that no description tells', async () => {
    const port = await driver.vncPort(vm.vmId);
    const socket = connect(port!, '127.0.0.1');
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    socket.write(greeting);
    const [securityTypes] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(greeting.toString('latin1')).toMatch(/^RFB 003\.008\n$/);
    // RFC 6143, 7.1.2: one type, and that is the password.
    expect([...securityTypes]).toEqual([1, 2]);
    expect((await run('ss', ['-Hltn', `sport = :${port}`])).stdout).toMatch(/ 127\.0\.0\.1:\d+ +0\.0\.0\.0:\*\s*$/);

    expect(await virsh('dumpxml', vm.vmId, '--security-info')).toContain(PASSWORD);
    expect(await virsh('dumpxml', vm.vmId)).not.toContain(PASSWORD);
    expect(await readFile(`/var/log/libvirt/qemu/${vm.instanceName}.log`, 'utf8')).not.toContain(PASSWORD);
  });

  test('should keep the disc in its drive when libvirt cannot find another', async () => {
    await driver.changeIso(vm.vmId, { poolId: POOL_ID, iso });
    const missing = { poolId: POOL_ID, iso: `${randomUUID()}.g1.e1` };
    expect(await errorOf(driver.changeIso(vm.vmId, missing))).toMatchObject({ code: 'SLIPWAY_HYPERVISOR' });
    expect(await disc(vm)).toBe(join(directory, iso));
  });

  test('should have its disc changed and taken out, and neither twice', async () => {
    for (const wanted of [otherIso, otherIso, null, null, otherIso]) {
      await driver.changeIso(vm.vmId, { poolId: POOL_ID, iso: wanted });
      expect(await disc(vm)).toBe(wanted === null ? null : join(directory, wanted));
    }
    expect((await stat(join(directory, otherIso))).uid).toBe(process.geteuid?.());
  });

  test('should not have another VM run on its disk', async () => {
    const vmId = randomUUID();
    const second = { ...vm, vmId, instanceName: `${NAME}-${vmId.slice(0, 8)}` };
    expect(await errorOf(driver.startDomain(second, 1, GUEST))).toMatchObject({
      code: 'SLIPWAY_HYPERVISOR',
      message: expect.stringMatching(/Failed to get .*lock/) as string,
    });
  });

  test('should have its seed while it runs: not swept then, gone with it, and there again', async () => {
    await writeFile(join(consoleDirectory(), 'seeds', `${randomUUID()}.iso`), 'of one that ended by itself');
    await driver.sweepSeeds();
    expect(await seeds()).toEqual([`${vm.vmId}.iso`]);
    await driver.stopDomain(vm.vmId, { isForced: true, timeoutMs: 0 });
    expect(await seeds()).toEqual([]);
    await driver.startDomain(vm, 2, guest);
    expect(await seeds()).toEqual([`${vm.vmId}.iso`]);
    await driver.destroyDomain(vm.vmId);
    expect(await seeds()).toEqual([]);
  });
});

test('should change no disc of a VM that does not run, or is not ours', async () => {
  await expect(driver.changeIso(randomUUID(), { poolId: POOL_ID, iso })).resolves.toBeUndefined();
});

test.each(['../../etc/passwd', 'debian.iso', '/etc/passwd'])('should take no file %s for a disc', async (hostile) => {
  const vm = await newVm(OVERLAY(), { iso: hostile });
  const refused = { code: 'SLIPWAY_INTERNAL' };
  expect(await errorOf(driver.startDomain(vm, 1, GUEST))).toMatchObject(refused);
  expect(await errorOf(driver.changeIso(vm.vmId, { poolId: POOL_ID, iso: hostile }))).toMatchObject(refused);
});

describe('display', () => {
  afterEach(endDomains);

  test('should be nowhere when the VM does not run', async () => {
    expect(await driver.vncPort(randomUUID())).toBeNull();
  });

  test('should not have its password told when libvirt quotes a description', async () => {
    const vm = await newVm(OVERLAY());
    await withVirsh('cat "$1" >&2; exit 1', async () => {
      const error = (await errorOf(driver.startDomain(vm, 1, GUEST))) as Error;
      expect(error.message).toContain('passwd="…"');
      expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain(PASSWORD);
    });
  });

  const TAKEN = 'qemu-system-x86_64: -vnc 127.0.0.1:0: Failed to find an available port: Address already in use';

  test('should take another port when somebody was faster', async () => {
    const vm = await newVm(OVERLAY());
    const once = join(directory, 'once');
    const twice = `[ -e ${once} ] && exec /usr/bin/virsh -q -c ${URI} create "$1"; touch ${once}`;
    await withVirsh(`${twice}; echo "error: ${TAKEN}" >&2; exit 1`, () => driver.startDomain(vm, 1, GUEST));
    expect(await driver.vncPort(vm.vmId)).toBeGreaterThanOrEqual(5900);
  });

  test('should give up when no port is to be had', async () => {
    const vm = await newVm(OVERLAY());
    await withVirsh(`echo "error: ${TAKEN}" >&2; exit 1`, async () => {
      expect(await errorOf(driver.startDomain(vm, 1, GUEST))).toMatchObject({
        code: 'SLIPWAY_HYPERVISOR',
        message: expect.stringContaining('Address already in use') as string,
      });
    });
  });

  /** With `create` done by a line of shell, which has the description as `$1`. */
  async function withVirsh(create: string, act: () => Promise<void>): Promise<void> {
    const tools = await mkdtemp(join(directory, 'tools-'));
    const program = `#!/bin/sh\ncase "$*" in *"create "*) shift 4; ${create};; esac\nexec /usr/bin/virsh "$@"\n`;
    await writeFile(join(tools, 'virsh'), program, { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = `${tools}:${path}`;
    try {
      await act();
    } finally {
      process.env['PATH'] = path;
    }
  }
});

describe('networks', () => {
  afterEach(endDomains);

  const macAddress = '02:00:4c:00:00:01';

  test('should be the bridge of the host for guests of L2 networks', async () => {
    const bridge = `br${NAME}`;
    await run('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
    try {
      const vm = await newVm(OVERLAY(), { nics: [{ macAddress, type: 'L2', vlan: null }] });
      await driverWith({ guestNetwork: { bridge } }).startDomain(vm, 1, GUEST);
      expect(await virsh('domiflist', vm.vmId)).toMatch(new RegExp(`bridge +${bridge} +virtio +${macAddress}`));
      expect((await run('ip', ['link', 'show', 'master', bridge])).stdout).toMatch(/vnet\d+/);
    } finally {
      await run('ip', ['link', 'del', 'dev', bridge]);
    }
  });

  test.each([
    ['a bridge', { type: 'L2', vlan: null }, 'SLIPWAY_HYPERVISOR'],
    ['VLANs', { type: 'L2', vlan: 100 }, 'SLIPWAY_HYPERVISOR'],
    ['a usable address', { type: 'User', vlan: null, macAddress: '01:00:5e:00:00:01' }, 'SLIPWAY_INTERNAL'],
    ['an address at all', { type: 'User', vlan: null, macAddress: 'x"/>' }, 'SLIPWAY_INTERNAL'],
  ] as const)('should start no VM without %s', async (_name, nic, code) => {
    const vm = await newVm(OVERLAY(), { nics: [{ macAddress, ...nic }] });
    expect(await errorOf(driver.startDomain(vm, 1, GUEST))).toMatchObject({ code });
    expect(await virsh('list', '--all', '--name')).not.toContain(vm.instanceName);
  });
});
