import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHostConfig, type HostConfig } from './host-config.js';
import { writeHostConfig } from './write-host-config.js';

const CONFIG: HostConfig = {
  installationId: 'installation-1',
  hostId: 'host-1',
  name: 'kvm-1',
  libvirtUri: 'qemu:///system',
  pools: [
    { poolId: 'pool-1', type: 'Filesystem', path: '/srv/pool' },
    { poolId: 'pool-2', type: 'NetworkFilesystem', path: '/mnt/shared' },
  ],
  consoleDirectory: '/srv/console',
  tokenDirectory: '/srv/tokens',
  certificateDirectory: '/etc/slipway/certificates',
  keyPair: { publicKey: 'public', secretKey: 'hush' },
};

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-host-'));
  path = join(directory, 'host.json');
});

afterEach(() => rm(directory, { recursive: true }));

test('should read what was written, and let its owner only', async () => {
  await writeHostConfig(path, { ...CONFIG, name: 'before' });
  await writeHostConfig(path, CONFIG);
  expect(await readHostConfig(path)).toEqual(CONFIG);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['host.json']);
});

test('should read the proxy that was written', async () => {
  await writeHostConfig(path, { ...CONFIG, proxyUrl: 'http://me:hush@proxy.example:3128' });
  expect((await readHostConfig(path)).proxyUrl).toBe('http://me:hush@proxy.example:3128/');
});

test('should read the networks for guests that were written', async () => {
  const networks = { guestBridge: 'cloudbr0', guestVlanInterface: 'eth1.7' };
  await writeHostConfig(path, { ...CONFIG, ...networks });
  expect(await readHostConfig(path)).toMatchObject(networks);
});

test.each(['', '-f', 'a b', 'x/y', 'sixteen-letters-', 7])(
  'should take %j for no name of an interface',
  async (name) => {
    await writeFile(path, JSON.stringify({ ...CONFIG, guestBridge: name }));
    await expect(readHostConfig(path)).rejects.toMatchObject({
      message: expect.stringMatching(/guestBridge must be the name of a network interface$/) as string,
    });
  },
);

test('should take a pool without a type for a directory of this host alone', async () => {
  await writeFile(path, JSON.stringify({ ...CONFIG, pools: [{ poolId: 'pool-1', path: '/srv/pool' }] }));
  expect((await readHostConfig(path)).pools).toEqual([{ poolId: 'pool-1', type: 'Filesystem', path: '/srv/pool' }]);
});

test('should keep certificates beside the tokens where the file does not say where', async () => {
  await writeFile(path, JSON.stringify({ ...CONFIG, certificateDirectory: undefined }));
  expect((await readHostConfig(path)).certificateDirectory).toBe('/srv/certificates');
});

test.each<[string, string, RegExp]>([
  ['no JSON', '{ "secretKey": "hush", ', /it is not JSON$/],
  ['no object', '[]', /pools must be|keyPair must be/],
  ['no host id', JSON.stringify({ ...CONFIG, hostId: undefined }), /hostId must be a text/],
  ['an empty name', JSON.stringify({ ...CONFIG, name: '' }), /name must be a text/],
  ['no pools', JSON.stringify({ ...CONFIG, pools: [] }), /pools must be a list/],
  ['a pool without id', JSON.stringify({ ...CONFIG, pools: [{ path: '/srv' }] }), /pools\[0\]\.poolId must be/],
  [
    'a relative path',
    JSON.stringify({ ...CONFIG, pools: [{ poolId: 'p', path: 'srv' }] }),
    /pools\[0\]\.path must be an/,
  ],
  [
    'a pool of another type',
    JSON.stringify({ ...CONFIG, pools: [{ poolId: 'p', type: 'RBD', path: '/srv' }] }),
    /pools\[0\]\.type must be one of Filesystem, /,
  ],
  [
    'a proxy that speaks TLS',
    JSON.stringify({ ...CONFIG, proxyUrl: 'https://me:hush@proxy.example' }),
    /proxyUrl must be an http URL without a path$/,
  ],
  ['a proxy with a path', JSON.stringify({ ...CONFIG, proxyUrl: 'http://proxy.example/hush' }), /proxyUrl must be/],
  ['half a proxy', JSON.stringify({ ...CONFIG, proxyUrl: 'hush' }), /proxyUrl must be/],
  ['half a key pair', JSON.stringify({ ...CONFIG, keyPair: { secretKey: 'hush' } }), /keyPair\.publicKey must be/],
])('should say what is wrong with a file that has %s, and no secret', async (_name, content, reason) => {
  await writeFile(path, content);
  const error = (await readHostConfig(path).catch((thrown: unknown) => thrown)) as Error;
  expect(error.message).toMatch(reason);
  expect(`${error.message} ${String(error.cause)}`).not.toContain('hush');
});

test('should say that the file is not there', async () => {
  await expect(readHostConfig(path)).rejects.toThrow(/cannot be read \(ENOENT\)/);
});
