import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
