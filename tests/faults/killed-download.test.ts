import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { download, type DownloadRequest } from '../../kvm/download/download.js';
import { type FaultServer, startFaultServer } from '../../kvm/download/fault-server.js';
import { readJournal } from '../../kvm/download/journal.js';
import { MIB, randomContent, sha256, testSettings } from '../../kvm/download/test-support.js';

const SIZE = 24 * MIB;
/** Of each mirror: all of them take about two seconds together. */
const BYTES_PER_SECOND = 4 * MIB;
const PIECE_BYTES = 700_001;
/** Last bytes that two mirrors are asked for, and what is on its way to a request that is given up. */
const TWICE_AT_MOST_BYTES = 4 * MIB;

const content = randomContent(SIZE);
const pieces = {
  algorithm: 'SHA-256' as const,
  lengthBytes: PIECE_BYTES,
  values: Array.from({ length: Math.ceil(SIZE / PIECE_BYTES) }, (_, index) =>
    sha256(content.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)),
  ),
};

let directory: string;
let server: FaultServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-killed-'));
  server = await startFaultServer();
});
afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

const PATHS = ['/a', '/b', '/c'];
const served = (): number => PATHS.reduce((sum, path) => sum + server.bytes(path), 0);

/** Downloads in a process of its own, which is killed once so many bytes were served to it. */
async function killAt(bytes: number, request: DownloadRequest): Promise<void> {
  const module = join(import.meta.dirname, '../../kvm/download/download.ts');
  const program = `import { download } from ${JSON.stringify(module)};
    await download(${JSON.stringify(request)}, { signal: new AbortController().signal });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const before = served();
  while (served() - before < bytes && child.exitCode === null) await sleep(5);
  child.kill('SIGKILL');
  await exited;
}

/** The bytes that the journal vouches for, as they are on disk. */
async function vouched(partialPath: string): Promise<{ fromByte: number; bytes: Buffer }[]> {
  const journal = await readJournal(partialPath);
  if (!journal) return [];
  const file = await open(partialPath);
  try {
    return await Promise.all(
      journal.synced.map(async ({ fromByte, endByte }) => {
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(endByte - fromByte),
          0,
          endByte - fromByte,
          fromByte,
        );
        return { fromByte, bytes: buffer.subarray(0, bytesRead) };
      }),
    );
  } finally {
    await file.close();
  }
}

const lengthOf = (parts: { bytes: Buffer }[]): number => parts.reduce((sum, { bytes }) => sum + bytes.length, 0);

describe('a download from several mirrors whose process is killed again and again', () => {
  const request = (changes: Partial<DownloadRequest>): DownloadRequest => ({
    sources: PATHS.map((path) => server.url + path),
    partialPath: join(directory, 'image.partial'),
    expectedSizeBytes: SIZE,
    hasVouchedDigest: true,
    algorithms: ['SHA-256'],
    settings: testSettings({ socketTimeoutMs: 5_000 }),
    ...changes,
  });

  it('loses no byte that its journal vouches for, and asks only for the others', async () => {
    for (const path of PATHS) server.serve(path, { content, always: { bytesPerSecond: BYTES_PER_SECOND } });
    const again = request({});
    let known = 0;
    for (let kill = 0; kill < 4; kill++) {
      await killAt(2 * MIB + Math.random() * 5 * MIB, again);
      const parts = await vouched(again.partialPath);
      for (const { fromByte, bytes } of parts) {
        expect(bytes.equals(content.subarray(fromByte, fromByte + bytes.length))).toBe(true);
      }
      expect(lengthOf(parts)).toBeGreaterThanOrEqual(known);
      known = lengthOf(parts);
    }
    expect(known).toBeGreaterThan(0);
    const before = served();
    const result = await download(again, { signal: new AbortController().signal });
    expect(result).toMatchObject({ resumedFromBytes: known, digests: [{ value: sha256(content) }] });
    expect(served() - before).toBeLessThan(SIZE - known + TWICE_AT_MOST_BYTES);
    expect(content.equals(await readFile(again.partialPath))).toBe(true);
  });

  it('ends with the right bytes although one of the mirrors lies', async () => {
    const always = { bytesPerSecond: BYTES_PER_SECOND };
    const lie = { ...always, corrupt: { fromByte: 0, endByte: SIZE } };
    server.serve('/a', { content, always });
    server.serve('/b', { content, always: lie });
    server.serve('/c', { content, always });
    const again = request({ pieces });
    for (let kill = 0; kill < 3; kill++) await killAt(2 * MIB + Math.random() * 5 * MIB, again);
    const result = await download(again, { signal: new AbortController().signal });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(content.equals(await readFile(again.partialPath))).toBe(true);
    const blamed = result.mirrors.filter(({ outcome }) => outcome === 'failed').map(({ url }) => url);
    expect([`${server.url}/b`]).toEqual(expect.arrayContaining(blamed));
  });
});
