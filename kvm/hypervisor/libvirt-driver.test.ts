import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildBootDisk } from '../../demo/boot-disk.js';
import type { DomainSpec, GuestSecrets } from '../../shared/virtual-machines.js';
import { ensureLibvirtd } from '../../tests/support/libvirtd.js';
import { makePool } from '../../tests/support/test-pool.js';
import type { FilesystemPool } from '../storage/filesystem-pool.js';
import { LibvirtDriver } from './libvirt-driver.js';

jest.setTimeout(60_000);

const MIB = 1024 ** 2;
const URI = 'qemu:///system';
const POOL_ID = randomUUID();
const TEMPLATE = { templateId: randomUUID(), generation: 1, epoch: 1 };
const OBLIGING_TEMPLATE = { ...TEMPLATE, epoch: 2 };
const NONCE = randomBytes(8).toString('hex');
const INSTALLATION_ID = randomUUID();
const GUEST: GuestSecrets = { hostName: 'guest', sshPublicKeys: [], vncPassword: 'P4ssW0rd' };

let directory: string;
let pool: FilesystemPool;
let backing: string;
/** Its guest powers off, and reboots, when it is asked to. */
let obligingBacking: string;
let driver: LibvirtDriver;

const virsh = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('virsh', ['-q', '-c', URI, ...args])).stdout;

beforeAll(async () => {
  await ensureLibvirtd();
  directory = await mkdtemp(join(tmpdir(), 'slipway-hypervisor-'));
  // As a pool is on a host: QEMU's user can pass, and not look around.
  await chmod(directory, 0o711);
  pool = await makePool(directory, POOL_ID);
  await buildBootDisk(pool.partialPath(TEMPLATE), { nonce: NONCE, sizeBytes: MIB, format: 'QCOW2' });
  backing = (await pool.installTemplate(TEMPLATE, 'QCOW2', false)).installPath;
  const obliging = { nonce: NONCE, sizeBytes: MIB, format: 'QCOW2', isObliging: true } as const;
  await buildBootDisk(pool.partialPath(OBLIGING_TEMPLATE), obliging);
  obligingBacking = (await pool.installTemplate(OBLIGING_TEMPLATE, 'QCOW2', false)).installPath;
  driver = driverOf(randomUUID());
});

afterEach(async () => {
  const mine = (await virsh('list', '--all', '--name')).split('\n').filter((name) => name.includes(NONCE));
  await Promise.all(mine.map((name) => virsh('destroy', name)));
});

afterAll(() => rm(directory, { recursive: true }));

const driverOf = (hostId: string): LibvirtDriver =>
  new LibvirtDriver({
    uri: URI,
    installationId: INSTALLATION_ID,
    hostId,
    consoleDirectory: join(directory, 'console'),
    poolPath: () => directory,
  });

async function newVm(template = backing): Promise<DomainSpec> {
  const vmId = randomUUID();
  const disk = { type: 'overlay', template, templateFormat: 'QCOW2', sizeBytes: null } as const;
  const { fileName } = await pool.createRootVolume({ volumeId: vmId, token: 1, disk });
  return {
    vmId,
    instanceName: `i-${NONCE}-${vmId.slice(0, 8)}`,
    displayName: 'a "VM" & <more>',
    cpus: 1,
    memoryBytes: 32 * MIB,
    poolId: POOL_ID,
    rootVolume: fileName,
    iso: null,
    bootsFromIso: false,
    nics: [],
    sealedGuest: '',
  };
}

const startDomain = (vm: DomainSpec, token: number, by = driver): Promise<void> => by.startDomain(vm, token, GUEST);

const consoleOf = ({ vmId }: DomainSpec): string => join(directory, 'console', `${vmId}.log`);

/** Waits until the console has `times` boot lines; the test's own time limit is the deadline. */
async function booted(vm: DomainSpec, times = 1): Promise<void> {
  const lines = async (): Promise<number> =>
    (await readFile(consoleOf(vm), 'utf8')).split(`SLIPWAY-BOOT ${NONCE}\r\n`).length - 1;
  while ((await lines()) < times) await sleep(50);
}

const domainId = async ({ vmId }: DomainSpec): Promise<string> => (await virsh('domid', vmId)).trim();

const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

test('should tell what the host is', async () => {
  expect(await driver.facts()).toEqual({
    arch: expect.stringMatching(/^(x86_64|aarch64)$/),
    cpus: expect.any(Number),
    cpuSpeedMhz: expect.any(Number),
    memoryBytes: expect.any(Number),
    domainType: expect.stringMatching(/^(kvm|qemu)$/),
    hypervisorVersion: expect.stringMatching(/^QEMU \d/),
    libvirtVersion: expect.stringMatching(/^\d+\.\d+/),
  });
});

test('should boot two VMs from one template at once, and leave the template to its owner', async () => {
  const before = await stat(join(directory, backing));
  const vms = [await newVm(), await newVm()] as const;
  await Promise.all(vms.map((vm) => startDomain(vm, 1)));
  await Promise.all(vms.map((vm) => booted(vm)));
  const listed = await driver.listDomains();
  expect(listed.toSorted((a, b) => a.vmId.localeCompare(b.vmId))).toEqual(
    vms.map(({ vmId }) => ({ vmId, state: 'Running', token: 1 })).toSorted((a, b) => a.vmId.localeCompare(b.vmId)),
  );
  const after = await stat(join(directory, backing));
  expect([after.uid, after.mode]).toEqual([before.uid, before.mode]);
  await driver.destroyDomain(vms[0].vmId);
  expect(await driver.listDomains()).toEqual([{ vmId: vms[1].vmId, state: 'Running', token: 1 }]);
});

test('should leave a VM alone that runs with the same token, and replace one of an earlier operation', async () => {
  const vm = await newVm();
  await startDomain(vm, 2);
  const first = await domainId(vm);
  await startDomain(vm, 2);
  expect(await domainId(vm)).toBe(first);
  await booted(vm);

  expect(await errorOf(startDomain(vm, 1))).toMatchObject({ code: 'SLIPWAY_FENCED' });
  expect(await domainId(vm)).toBe(first);

  await startDomain(vm, 3);
  expect(await domainId(vm)).not.toBe(first);
  expect(await driver.listDomains()).toEqual([{ vmId: vm.vmId, state: 'Running', token: 3 }]);
  await booted(vm, 2);
});

test('should start a VM once when two tries run at the same time', async () => {
  const vm = await newVm();
  await Promise.all([startDomain(vm, 1), startDomain(vm, 1)]);
  expect(await driver.listDomains()).toEqual([{ vmId: vm.vmId, state: 'Running', token: 1 }]);
});

test("should not touch other people's domains", async () => {
  const vm = await newVm();
  const path = join(directory, 'foreign.xml');
  const foreign = `<domain type='qemu'><name>${vm.instanceName}</name><uuid>${vm.vmId}</uuid><memory unit='MiB'>16</memory>
    <os><type>hvm</type></os><devices><controller type='usb' model='none'/></devices></domain>`;
  await writeFile(path, foreign);
  await virsh('create', '--paused', path);
  const before = await domainId(vm);

  expect(await errorOf(startDomain(vm, 1))).toMatchObject({
    code: 'SLIPWAY_HYPERVISOR',
    message: expect.stringContaining('does not belong to this VM'),
  });
  expect(await errorOf(startDomain({ ...vm, vmId: randomUUID() }, 1))).toMatchObject({
    code: 'SLIPWAY_HYPERVISOR',
  });
  await driver.destroyDomain(vm.vmId);
  await driver.stopDomain(vm.vmId, { isForced: true, timeoutMs: 0 });
  expect(await driver.listDomains()).toEqual([]);
  expect(await domainId(vm)).toBe(before);
});

test('should not touch domains of another host of the installation', async () => {
  const vm = await newVm();
  await startDomain(vm, 1);
  const other = driverOf(randomUUID());
  expect(await other.listDomains()).toEqual([]);
  await other.destroyDomain(vm.vmId);
  expect(await errorOf(startDomain(vm, 2, other))).toMatchObject({ code: 'SLIPWAY_HYPERVISOR' });
  expect(await driver.listDomains()).toHaveLength(1);
});

test('should end a guest by force when it does not power off in time', async () => {
  const vm = await newVm();
  await startDomain(vm, 1);
  expect(await driver.stopDomain(vm.vmId, { isForced: false, timeoutMs: 300 })).toEqual({ wasForced: true });
  expect(await driver.listDomains()).toEqual([]);
  expect(await driver.stopDomain(vm.vmId, { isForced: false, timeoutMs: 300 })).toEqual({ wasForced: false });
});

test('should let a guest that listens power off by itself', async () => {
  const vm = await newVm(obligingBacking);
  await startDomain(vm, 1);
  await booted(vm);
  expect(await driver.stopDomain(vm.vmId, { isForced: false, timeoutMs: 50_000 })).toEqual({ wasForced: false });
  expect(await driver.listDomains()).toEqual([]);
});

test('should force nothing when the wait for a guest is called off', async () => {
  const vm = await newVm();
  await startDomain(vm, 1);
  const patience = () => ({ isForced: false, timeoutMs: 50_000, signal: AbortSignal.timeout(1000) });
  expect(await errorOf(driver.stopDomain(vm.vmId, patience()))).toMatchObject({ name: 'AbortError' });
  expect(await errorOf(driver.rebootDomain(vm.vmId, patience()))).toMatchObject({ name: 'TimeoutError' });
  expect(await driver.listDomains()).toEqual([{ vmId: vm.vmId, state: 'Running', token: 1 }]);
});

test('should reboot a guest that listens, and keep its domain', async () => {
  const vm = await newVm(obligingBacking);
  await startDomain(vm, 1);
  await booted(vm);
  const before = await domainId(vm);
  expect(await driver.rebootDomain(vm.vmId, { isForced: false, timeoutMs: 50_000 })).toEqual({ wasForced: false });
  await booted(vm, 2);
  expect(await domainId(vm)).toBe(before);
  // The reboot that was asked for is over: to power off is to end again.
  expect(await driver.stopDomain(vm.vmId, { isForced: false, timeoutMs: 50_000 })).toEqual({ wasForced: false });
});

test('should reset a guest that does not reboot in time, and at once by force', async () => {
  const vm = await newVm();
  await startDomain(vm, 1);
  await booted(vm);
  expect(await driver.rebootDomain(vm.vmId, { isForced: false, timeoutMs: 1000 })).toEqual({ wasForced: true });
  await booted(vm, 2);
  expect(await driver.rebootDomain(vm.vmId, { isForced: true, timeoutMs: 50_000 })).toEqual({ wasForced: true });
  await booted(vm, 3);
});

test('should say when the VM that is to be rebooted does not run here', async () => {
  expect(await errorOf(driver.rebootDomain(randomUUID(), { isForced: true, timeoutMs: 0 }))).toMatchObject({
    code: 'SLIPWAY_HYPERVISOR',
  });
});

test('should destroy as often as asked', async () => {
  await expect(driver.destroyDomain(randomUUID())).resolves.toBeUndefined();
});

test("should pass on libvirt's reason when a VM does not start", async () => {
  const vm = await newVm();
  expect(await errorOf(startDomain({ ...vm, memoryBytes: 2 ** 50 }, 1))).toMatchObject({
    code: 'SLIPWAY_HYPERVISOR',
    message: expect.stringMatching(/^Failed to create domain.*: .+/),
  });
});

test.each(['../../etc/passwd', 'disk.qcow2'])('should take no file %s for a root volume', async (rootVolume) => {
  const vm = await newVm();
  expect(await errorOf(startDomain({ ...vm, rootVolume }, 1))).toMatchObject({ code: 'SLIPWAY_INTERNAL' });
});

test('should say when the root volume is gone', async () => {
  const vm = await newVm();
  await pool.deleteVolume(vm.vmId, 1);
  expect(await errorOf(startDomain(vm, 1))).toMatchObject({ code: 'SLIPWAY_POOL_IO' });
});

test('should fail in plain words when libvirt is not there', async () => {
  const lost = new LibvirtDriver({
    uri: 'qemu+unix:///system?socket=/nonexistent',
    installationId: INSTALLATION_ID,
    hostId: randomUUID(),
    consoleDirectory: directory,
    poolPath: () => directory,
  });
  expect(await errorOf(lost.listDomains())).toMatchObject({
    code: 'SLIPWAY_HYPERVISOR',
    message: expect.stringContaining('failed to connect'),
  });
});

test('should tell of changes, until asked to stop', async () => {
  const stop = new AbortController();
  let changes = 0;
  const watch = driver.watchDomains({ signal: stop.signal }, () => (changes += 1));
  while (changes === 0) await sleep(20);
  const vm = await newVm();
  await startDomain(vm, 1);
  while (changes === 1) await sleep(20);
  const beforeEnd = changes;
  await driver.destroyDomain(vm.vmId);
  while (changes === beforeEnd) await sleep(20);
  stop.abort();
  await watch;
  expect(changes).toBeGreaterThanOrEqual(3);
});
