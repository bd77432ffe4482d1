import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ensureLibvirtd } from '../../tests/support/libvirtd.js';
import { watchDomains } from './watch-domains.js';

jest.setTimeout(30_000);

let directory: string;
let relay: Server;
const connections = new Set<Socket>();

beforeAll(async () => {
  await ensureLibvirtd();
  directory = await mkdtemp(join(tmpdir(), 'slipway-watch-'));
  // Stands between virsh and libvirt, so that the connection can be cut as a restart of libvirtd does.
  relay = createServer((socket) => {
    const libvirt = connect('/run/libvirt/libvirt-sock');
    for (const end of [socket, libvirt]) {
      connections.add(end.on('error', () => end.destroy()).on('close', () => connections.delete(end)));
    }
    socket.pipe(libvirt).pipe(socket);
  });
});

afterAll(async () => {
  relay.close();
  await rm(directory, { recursive: true });
});

test('should go on, and tell so, after libvirt was not there and after it went away', async () => {
  const path = join(directory, 'libvirt-sock');
  const stop = new AbortController();
  let changes = 0;
  const watch = watchDomains(`qemu+unix:///system?socket=${path}`, stop.signal, () => (changes += 1));
  // Long enough for the first try to have failed.
  await sleep(300);
  relay.listen(path);
  while (changes < 1) await sleep(20);
  for (const connection of connections) connection.destroy();
  while (changes < 2) await sleep(20);
  stop.abort();
  await watch;
});

/** Has no descriptor left when it begins to watch, and some a moment later. Nobody hears of a failure of the watch. */
const PROGRAM = `
  import { closeSync, openSync } from 'node:fs';
  import { watchDomains } from ${JSON.stringify(join(import.meta.dirname, 'watch-domains.ts'))};
  const files = [];
  try {
    for (;;) files.push(openSync('/dev/null'));
  } catch {}
  setTimeout(() => files.forEach((file) => closeSync(file)), 200);
  const stop = new AbortController();
  void watchDomains('qemu:///system', stop.signal, () => {
    console.log('it watches');
    stop.abort();
  });
`;

test('should go on after no program could be started', async () => {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)('prlimit', ['--nofile=100', '--', ...node]);
  expect(stdout).toBe('it watches\n');
});
