import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FurtherKeyPair, type HostConfig, readHostConfig } from './host-config.js';
import { forgetExpiredKeys, writeHostConfig } from './write-host-config.js';

const NOW_MS = Date.parse('2026-06-01T00:00:00Z');
const key = (name: string, until?: string): FurtherKeyPair => ({
  publicKey: `public-${name}`,
  secretKey: `secret-${name}`,
  ...(until !== undefined && { until }),
});

let directory: string;
let path: string;
let config: HostConfig;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-host-'));
  path = join(directory, 'host.json');
  config = {
    installationId: 'installation',
    hostId: crypto.randomUUID(),
    name: 'kvm-1',
    libvirtUri: 'qemu:///system',
    pools: [{ poolId: 'pool', type: 'Filesystem', path: '/srv/pool' }],
    consoleDirectory: '/srv/console',
    tokenDirectory: '/srv/tokens',
    certificateDirectory: '/srv/certificates',
    keyPair: key('own'),
  };
});
afterEach(() => rm(directory, { recursive: true }));

test('should forget a key that has expired, and keep one that is prepared and one that is accepted still', async () => {
  const furtherKeyPairs = [
    key('prepared'),
    key('accepted', '2026-06-01T00:00:01Z'),
    key('expired', '2026-06-01T00:00:00Z'),
  ];
  await writeHostConfig(path, { ...config, furtherKeyPairs });
  await forgetExpiredKeys(path, NOW_MS);
  expect(await readHostConfig(path)).toMatchObject({ furtherKeyPairs: furtherKeyPairs.slice(0, 2) });
  const { ino, mode } = await stat(path);
  expect(mode & 0o777).toBe(0o600);
  await forgetExpiredKeys(path, NOW_MS);
  expect((await stat(path)).ino).toBe(ino);
});

test('should lose nothing that somebody writes meanwhile', async () => {
  for (let round = 0; round < 20; round++) {
    await writeHostConfig(path, { ...config, furtherKeyPairs: [key('expired', '2026-01-01T00:00:00Z')] });
    const rotated = { ...config, keyPair: key(`new-${round}`) };
    await Promise.all([forgetExpiredKeys(path, NOW_MS), writeHostConfig(path, rotated)]);
    expect((await readHostConfig(path)).keyPair).toEqual(rotated.keyPair);
  }
});

test('should remove the keys that a crash in mid-write has left beside it, and no file of others', async () => {
  for (const name of [`host.json.${'0a'.repeat(6)}.tmp`, 'host.json.tmp', `other.json.${'0a'.repeat(6)}.tmp`]) {
    await writeFile(join(directory, name), JSON.stringify({ keyPair: key('former') }));
  }
  await writeHostConfig(path, config);
  expect((await readdir(directory)).toSorted()).toEqual([
    'host.json',
    'host.json.tmp',
    `other.json.${'0a'.repeat(6)}.tmp`,
  ]);
});

test('should keep what a newer version has written, and not what another host had', async () => {
  const expired = key('expired', '2026-01-01T00:00:00Z');
  const newer = {
    ...config,
    pools: [{ ...config.pools[0], quota: 5 }],
    furtherKeyPairs: [expired, { ...key('prepared'), purpose: 'new' }],
    tracing: { isOn: true },
  };
  const written = async () => JSON.parse(await readFile(path, 'utf8')) as unknown;
  await writeFile(path, JSON.stringify(newer));
  await forgetExpiredKeys(path, NOW_MS);
  expect(await written()).toEqual({ ...newer, furtherKeyPairs: newer.furtherKeyPairs.slice(1) });
  await writeHostConfig(path, { ...config, keyPair: key('rotated') });
  expect(await written()).toEqual({ ...newer, keyPair: key('rotated'), furtherKeyPairs: undefined });
  const other = { ...config, hostId: crypto.randomUUID() };
  await writeHostConfig(path, other);
  expect(await written()).toEqual(other);
});

test('should keep what a newer version has written of a key that becomes the own one, or a former one', async () => {
  const own = { ...key('own'), made: 'early' };
  const prepared = { ...key('prepared'), made: 'late' };
  const gone = { ...key('gone'), made: 'long ago' };
  await writeFile(path, JSON.stringify({ ...config, keyPair: own, furtherKeyPairs: [prepared, gone] }));
  const until = '2026-06-03T00:00:00.000Z';
  await writeHostConfig(path, {
    ...config,
    keyPair: key('prepared'),
    furtherKeyPairs: [key('own', until), key('new')],
  });
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
    keyPair: prepared,
    furtherKeyPairs: [{ ...own, until }, key('new')],
  });
});
