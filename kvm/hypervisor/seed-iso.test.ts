import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GuestSecrets } from '../../shared/virtual-machines.js';
import { SeedIsos } from './seed-iso.js';

const run = promisify(execFile);
const VM = randomUUID();
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPqrs me@example';

let directory: string;
let seeds: SeedIsos;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-seed-'));
  seeds = new SeedIsos(join(directory, 'seeds'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const guest = (secrets: Partial<GuestSecrets> = {}): GuestSecrets => ({
  hostName: 'web-1',
  sshPublicKeys: [KEY],
  vncPassword: 'P4ssW0rd',
  ...secrets,
});

/** As the guest reads it. */
async function content(path: string): Promise<{ userData: Buffer; metaData: unknown; names: string[] }> {
  const to = join(directory, randomUUID());
  await run('xorriso', ['-no_rc', '-osirrox', 'on', '-indev', path, '-extract', '/', to]);
  return {
    names: (await readdir(to)).toSorted(),
    userData: await readFile(join(to, 'user-data')),
    metaData: JSON.parse(await readFile(join(to, 'meta-data'), 'utf8')),
  };
}

test('should tell the guest its name, its keys and the id of the instance, also without user data', async () => {
  const path = await seeds.write(VM, guest());
  expect(await content(path!)).toEqual({
    names: ['meta-data', 'user-data'],
    userData: Buffer.from('#cloud-config\n'),
    metaData: { 'instance-id': VM, 'local-hostname': 'web-1', 'public-keys': [KEY] },
  });
});

test('should tell the guest that it is another instance, when its keys are others', async () => {
  const path = await seeds.write(VM, guest({ instanceId: `${VM}-1` }));
  expect(await content(path!)).toMatchObject({ metaData: { 'instance-id': `${VM}-1`, 'public-keys': [KEY] } });
});

test('should be found by the name that cloud-init looks for', async () => {
  const path = await seeds.write(VM, guest());
  const { stdout } = await run('blkid', ['-p', '-o', 'export', path!]);
  expect(stdout).toMatch(/^LABEL=cidata$/m);
  expect(stdout).toMatch(/^TYPE=iso9660$/m);
});

test.each([
  ['a script', Buffer.from('#!/bin/sh\necho hello\n')],
  ['multipart', Buffer.from('Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x--\r\n')],
  ['any bytes', Buffer.from([0x1f, 0x8b, 0, 0xff, 0xfe])],
])('should hand over user data that is %s as it is', async (_name, bytes) => {
  const path = await seeds.write(VM, guest({ userData: bytes.toString('base64'), sshPublicKeys: [] }));
  expect((await content(path!)).userData).toEqual(bytes);
});

test.each(['x"\nlocal-hostname: evil', '{}', '\u0085\u2028\u007f', '../../etc/passwd'])(
  'should not let a hostile name %j become anything else',
  async (hostName) => {
    const path = await seeds.write(VM, guest({ hostName }));
    expect((await content(path!)).metaData).toMatchObject({ 'local-hostname': hostName, 'public-keys': [KEY] });
  },
);

test('should be readable by nobody else, and be in the place of an earlier one', async () => {
  await seeds.write(VM, guest({ hostName: 'before' }));
  const path = await seeds.write(VM, guest());
  expect((await stat(path!)).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, 'seeds'))).mode & 0o777).toBe(0o711);
  expect(await readdir(join(directory, 'seeds'))).toEqual([`${VM}.iso`]);
  expect((await content(path!)).metaData).toMatchObject({ 'local-hostname': 'web-1' });
});

test('should not exist for a guest that is told nothing, also when it was told something before', async () => {
  await seeds.write(VM, guest());
  expect(await seeds.write(VM, guest({ sshPublicKeys: [] }))).toBeNull();
  expect(await readdir(join(directory, 'seeds'))).toEqual([]);
});

test('should go when asked, and all but the ones of some VMs when swept', async () => {
  const [kept, gone] = [randomUUID(), randomUUID()];
  for (const vmId of [VM, kept, gone]) await seeds.write(vmId, guest());
  await mkdir(join(directory, 'seeds', '.making-half'));
  await writeFile(join(directory, 'seeds', 'notes'), 'of somebody else');
  await seeds.remove(VM);
  await seeds.remove(VM);
  await seeds.sweep(new Set([kept]));
  expect((await readdir(join(directory, 'seeds'))).toSorted()).toEqual([`${kept}.iso`, 'notes'].toSorted());
});

test('should be swept on a host that never had one', async () => {
  await expect(seeds.sweep(new Set())).resolves.toBeUndefined();
});

test('should be of VMs only', async () => {
  await expect(seeds.write('../x', guest())).rejects.toMatchObject({ code: 'SLIPWAY_INTERNAL' });
});

test('should say which program a host lacks, and leave nothing', async () => {
  const path = process.env['PATH'];
  try {
    process.env['PATH'] = directory;
    await expect(seeds.write(VM, guest())).rejects.toMatchObject({
      code: 'SLIPWAY_HYPERVISOR',
      message: expect.stringMatching(/xorriso is not installed$/) as string,
    });
  } finally {
    process.env['PATH'] = path;
  }
  expect(await readdir(join(directory, 'seeds'))).toEqual([]);
});
