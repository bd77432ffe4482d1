import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { renderUnit, type UnitOptions } from './systemd-unit.js';

const OPTIONS: UnitOptions = {
  hostName: 'kvm-7',
  executable: process.execPath,
  programs: '/opt/slipway/dist',
  configPath: '/etc/slipway/host.json',
  environmentPath: '/etc/slipway/host.env',
  ownDirectories: ['/var/lib/slipway-host'],
  pools: ['/srv/pool'],
  furtherFiles: [],
  isSystemLibvirt: true,
};
const lines = (changes: Partial<UnitOptions> = {}) => renderUnit({ ...OPTIONS, ...changes }).split('\n');

test('should run the worker of this host, start it again for ever, and leave virtual machines alone', () => {
  expect(lines()).toEqual(
    expect.arrayContaining([
      `ExecStart="${process.execPath}" "--enable-source-maps" "/opt/slipway/dist/workers/host-worker.js" "/etc/slipway/host.json"`,
      'Restart=always',
      'StartLimitIntervalSec=0',
      'KillMode=mixed',
      'LimitNOFILE=65536',
      'ReadWritePaths="/etc/slipway"',
      'After=network-online.target remote-fs.target libvirtd.service virtqemud.service',
    ]),
  );
});

test('should quote what systemd would take for something else', () => {
  const configPath = '/etc/a b/"c"/%n/$HOME/host.json';
  expect(lines({ configPath }).find((line) => line.startsWith('ExecStart'))).toContain(
    '"/etc/a b/\\"c\\"/%%n/$$HOME/host.json"',
  );
});

test('should be one unit of this host, whatever the name of the host has in it', () => {
  expect(lines({ hostName: 'kvm\nExecStartPre=/bin/false' }).filter((line) => line.startsWith('Exec'))).toHaveLength(1);
});

test('should not take virtual machines with it that a libvirt of its own runs', () => {
  expect(lines({ isSystemLibvirt: false })).toContain('KillMode=process');
});

it.each<[string, Partial<UnitOptions>, { home: boolean; tmp: boolean }]>([
  ['nothing in a home', { executable: '/usr/bin/node' }, { home: true, tmp: true }],
  ['Slipway in a home', { executable: '/usr/bin/node', programs: '/root/slipway/dist' }, { home: false, tmp: true }],
  ['a pool in a home', { executable: '/usr/bin/node', pools: ['/home/images'] }, { home: false, tmp: true }],
  [
    'a certificate for Temporal in a home',
    { executable: '/usr/bin/node', furtherFiles: ['/root/temporal.pem'] },
    { home: false, tmp: true },
  ],
  ['a pool in /homestead', { executable: '/usr/bin/node', pools: ['/homestead'] }, { home: true, tmp: true }],
  ['a pool in /tmp', { executable: '/usr/bin/node', pools: ['/tmp/pool'] }, { home: true, tmp: false }],
])('should hide what is not needed: %s', (_, changes, { home, tmp }) => {
  expect(lines(changes).includes('ProtectHome=yes')).toBe(home);
  expect(lines(changes).includes('PrivateTmp=yes')).toBe(tmp);
});

test('should be what systemd accepts', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'slipway-unit-'));
  try {
    const unit = path.join(directory, 'slipway-host.service');
    await writeFile(unit, renderUnit(OPTIONS));
    // Without systemd there is nobody to ask.
    const { stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', unit]).catch(
      (error: NodeJS.ErrnoException & { stderr: string }) => (error.code === 'ENOENT' ? { stderr: '' } : error),
    );
    expect(stderr.split('\n').filter((line) => line.includes('slipway-host.service'))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
