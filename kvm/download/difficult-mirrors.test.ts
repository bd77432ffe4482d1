import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { PieceHashes } from '../../shared/images.js';
import { type FaultServer, startFaultServer } from './fault-server.js';
import { DownloadBench, MIB, randomContent, sha256, testSettings } from './test-support.js';

let bench: DownloadBench;
let server: FaultServer;
beforeEach(async () => {
  bench = await DownloadBench.start();
  server = await startFaultServer();
});
afterEach(async () => {
  await bench.stop();
  await server.stop();
});

const at = (...paths: string[]): string[] => paths.map((path) => server.url + path);
/** Answers that never come to anything. */
const GONE = Array.from({ length: 20 }, () => ({ status: 404 }));
const NO_RANGES = { isIgnoringRange: true };

const piecesOf = (content: Buffer, lengthBytes: number): PieceHashes => ({
  algorithm: 'SHA-256',
  lengthBytes,
  values: Array.from({ length: Math.ceil(content.length / lengthBytes) }, (_, index) =>
    sha256(content.subarray(index * lengthBytes, (index + 1) * lengthBytes)),
  ),
});

describe('a wrong piece', () => {
  const content = randomContent(4 * MIB);
  const pieces = piecesOf(content, MIB);
  const expected = { expectedSizeBytes: content.length, pieces, hasVouchedDigest: true };
  const corrupt = { fromByte: 0, endByte: 10 };
  /** Leaves half of a piece, which is wrong, and is gone. */
  const halfOfPiece = { content, faults: [{ corrupt, endAt: MIB / 2 }, ...GONE] };

  it('of two mirrors, used one at a time, comes again although the next one may not begin', async () => {
    server.serve('/half', halfOfPiece);
    server.serve('/a', { content });
    server.serve('/b', { content });
    const result = await bench.download({ ...expected, sources: at('/half', '/a', '/b'), isOneAtATime: true });
    expect(result.digests[0]?.value).toBe(sha256(content));
  });

  it('of two mirrors comes again although the only other one knows no ranges', async () => {
    server.serve('/half', halfOfPiece);
    server.serve('/a', { content });
    server.serve('/no-ranges', { content, always: NO_RANGES });
    const result = await bench.download({ ...expected, sources: at('/half', '/a', '/no-ranges') });
    expect(result.digests[0]?.value).toBe(sha256(content));
  });

  it('is blamed on the mirror that sent it, also when mirrors differ in the query only', async () => {
    server.serve('/disk', { content, always: { corrupt } });
    const download = bench.download({ ...expected, sources: at('/disk?a', '/disk?b') });
    const failed = { outcome: 'failed', code: 'SLIPWAY_SOURCE_PIECE' };
    await expect(download).rejects.toMatchObject({ details: [failed, failed] });
  });

  it('is not blamed on a mirror that completed bytes of an earlier process', async () => {
    await writeFile(bench.partialPath, randomContent(MIB / 2));
    const journal = { synced: [{ fromByte: 0, endByte: MIB / 2 }], source: { url: 'http://a.example/disk' } };
    await writeFile(`${bench.partialPath}.journal`, JSON.stringify(journal));
    server.serve('/a', { content });
    server.serve('/b', { content, faults: [{ stallAt: 0 }] });
    const result = await bench.download({ ...expected, sources: at('/a', '/b') });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.mirrors[0]).toMatchObject({ outcome: 'used' });
  });

  it('cannot be told without the size, so that mirrors are not joined by piece hashes alone', async () => {
    server.serve('/a', { content, faults: [{ endAt: MIB }, ...GONE] });
    server.serve('/b', { content });
    const result = await bench.download({ pieces, sources: at('/a', '/b') });
    expect(result.mirrors[1]).toMatchObject({ outcome: 'used', bytes: content.length });
  });
});

describe('one bad mirror does not end a download:', () => {
  const content = randomContent(MIB + 5);

  it.each([
    ['one with a file that is larger than allowed', {}],
    ['one that sends more than allowed without saying so', { isChunked: true }],
  ])('%s', async (_what, fault) => {
    server.serve('/large', {
      content: Buffer.concat([content, content]),
      always: { ...fault, bytesPerSecond: 4 * MIB },
    });
    server.serve('/good', { content });
    const result = await bench.download({
      sources: at('/large', '/good'),
      expectedSizeBytes: content.length,
      hasVouchedDigest: true,
      isOneAtATime: true,
      settings: testSettings({ maxSizeBytes: content.length }),
    });
    expect(result.digests[0]?.value).toBe(sha256(content));
  });

  it('one that asks for patience, before anybody knows the size', async () => {
    server.serve('/busy', { content, always: { status: 503, headers: { 'retry-after': '30' } } });
    server.serve('/good', { content });
    const result = await bench.download({ sources: at('/busy', '/good'), hasVouchedDigest: true });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(server.requests('/busy')).toHaveLength(1);
  });

  it('one that lies about the size first', async () => {
    server.serve('/lies', { content, faults: [{ excessBytes: 2 * MIB }] });
    server.serve('/good', { content });
    const result = await bench.download({ sources: at('/lies', '/good'), hasVouchedDigest: true });
    expect(result.digests[0]?.value).toBe(sha256(content));
  });
});

describe('a mirror whose answer goes on over what another one brought', () => {
  it('is asked anew for what is left behind that', async () => {
    const content = randomContent(32 * MIB);
    let release = (): void => undefined;
    const until = new Promise<void>((done) => (release = done));
    const always = { bytesPerSecond: 60 * MIB };
    server.serve('/a', { content, always, faults: [{ holdAt: { byte: 2 * MIB, until } }] });
    server.serve('/b', { content, faults: [{ endAt: 14 * MIB }, ...GONE] });
    const running = bench.download({
      sources: at('/a', '/b'),
      expectedSizeBytes: content.length,
      hasVouchedDigest: true,
      settings: testSettings({ socketTimeoutMs: 60_000 }),
    });
    while (server.requests('/b').length < 2) await wait(5);
    release();
    expect((await running).digests[0]?.value).toBe(sha256(content));
    expect(server.bytes('/a')).toBeLessThan(content.length - 10 * MIB);
  });
});

describe('a server without ranges', () => {
  it('is read over one connection, although more would be allowed', async () => {
    const content = randomContent(8 * MIB);
    server.serve('/disk', { content, always: { ...NO_RANGES, bytesPerSecond: 8 * MIB } });
    const settings = testSettings({ ownServers: ['127.0.0.1'], ownServerConnections: 4 });
    const result = await bench.download({ sources: at('/disk'), settings });
    expect(result.digests[0]?.value).toBe(sha256(content));
    // Each of the four asks once before it is known.
    expect(server.requests('/disk').length).toBeLessThanOrEqual(4);
  });

  it('and without a version does not get two versions mixed', async () => {
    const content = randomContent(3 * MIB);
    const changed = { corrupt: { fromByte: 0, endByte: content.length } };
    const versions = [{ endAt: MIB }, {}, { endAt: 1.5 * MIB }, ...Array.from({ length: 10 }, () => changed)];
    server.serve('/disk', { content, faults: versions, always: { ...NO_RANGES, etag: null } });
    await bench.download({ sources: at('/disk') });
    const bytes = await bench.read();
    expect(new Set([...bytes].map((byte, index) => byte === content[index])).size).toBe(1);
  });
});

describe('an own server', () => {
  const settings = testSettings({ ownServers: ['127.0.0.1'], ownServerConnections: 6 });
  const content = randomContent(12 * MIB);

  it.each([1, 2])('that lets in %d connections of six gives the file over those', async (maxConnections) => {
    server.serve('/disk', { content, maxConnections, always: { bytesPerSecond: 8 * MIB } });
    const result = await bench.download({ sources: at('/disk'), settings });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.mirrors[0]).toMatchObject({ outcome: 'used' });
    // It is not asked again and again for what it does not give.
    expect(server.refused('/disk')).toBeLessThanOrEqual(5);
  });

  it('that changes the file in the middle gives one version of it', async () => {
    const changed = { etag: '"new"', corrupt: { fromByte: 0, endByte: content.length } };
    const faults = [{ bytesPerSecond: 8 * MIB }, {}, {}, ...Array.from({ length: 60 }, () => changed)];
    server.serve('/disk', { content, faults });
    const result = await bench.download({ sources: at('/disk'), settings });
    const bytes = await bench.read();
    expect(result.digests[0]?.value).toBe(sha256(bytes));
    expect(new Set([...bytes].map((byte, index) => byte === content[index])).size).toBe(1);
  });

  it('of which one connection gives another file than the others gives nothing of it', async () => {
    server.serve('/bad', { content, faults: [{}, {}, {}, { rangeShift: 1 }], always: { bytesPerSecond: 8 * MIB } });
    server.serve('/good', { content });
    const result = await bench.download({
      sources: at('/bad', '/good'),
      expectedSizeBytes: content.length,
      hasVouchedDigest: true,
      settings,
    });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.digests[0]?.value).toBe(sha256(await bench.read()));
  });
});

describe('two downloads to one path', () => {
  it('from several mirrors: the newer one goes on where the older one was ended', async () => {
    const content = randomContent(8 * MIB);
    for (const path of ['/a', '/b']) server.serve(path, { content, always: { bytesPerSecond: 6 * MIB } });
    const request = { sources: at('/a', '/b'), expectedSizeBytes: content.length, hasVouchedDigest: true };
    let newer: ReturnType<DownloadBench['download']> | undefined;
    const older = bench.download(request, {
      onProgress: ({ bytes }) => void (bytes > 2 * MIB && (newer ??= bench.download(request))),
    });
    await expect(older).rejects.toMatchObject({ code: 'SLIPWAY_FENCED' });
    const result = await newer;
    expect(result?.digests[0]?.value).toBe(sha256(content));
    expect(result?.resumedFromBytes).toBeGreaterThan(2 * MIB);
  });
});

describe('a body without a length', () => {
  it('that is longer than expected is refused, however soon all bytes expected are there', async () => {
    const content = randomContent(MIB + 1);
    server.serve('/disk', { content, always: { isChunked: true, holdAt: { byte: MIB, until: wait(150) } } });
    const download = bench.download({ sources: at('/disk'), expectedSizeBytes: MIB });
    await expect(download).rejects.toMatchObject({ details: [{ code: 'SLIPWAY_SOURCE_SIZE' }] });
  });
});

describe('an end from outside', () => {
  const content = randomContent(MIB);
  /** Never ends by itself. */
  const hanging = async (signal: AbortSignal): Promise<undefined> => {
    if (!signal.aborted) await once(signal, 'abort');
    throw new Error('Stopped');
  };

  it('reaches an unpacker that is behind the download', async () => {
    server.serve('/disk', { content });
    const controller = new AbortController();
    const aborted = bench.download(
      { sources: at('/disk') },
      {
        signal: controller.signal,
        async unpack(file, signal) {
          while (!file.isWhole) await file.whenMore();
          controller.abort();
          return hanging(signal);
        },
      },
    );
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('by the deadline reaches it, too', async () => {
    server.serve('/disk', { content });
    const late = bench.download(
      { sources: at('/disk'), settings: testSettings({ totalTimeoutMs: 500 }) },
      { unpack: (_file, signal) => hanging(signal) },
    );
    await expect(late).rejects.toMatchObject({ code: 'SLIPWAY_TRANSFER_DEADLINE' });
  });

  it('does not come early because the deadline is months away', async () => {
    server.serve('/disk', { content });
    const settings = testSettings({ totalTimeoutMs: 2 ** 32 + 1000 });
    expect(await bench.download({ sources: at('/disk'), settings })).toMatchObject({ sizeBytes: MIB });
  });
});

/** A wait of the server's. */
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
