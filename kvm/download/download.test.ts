import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { DIGEST_ALGORITHMS } from '../../shared/checksum.js';
import type { DownloadProgress } from '../../shared/images.js';
import { mountObstacle, mountSmallFileSystem } from '../../tests/support/small-file-system.js';
import { itUnless } from '../../tests/support/unless.js';
import { discardPartial, readFinishedDigests } from './download.js';
import { DownloadBench, MIB, randomContent, sha256 } from './test-support.js';

let bench: DownloadBench;
beforeEach(async () => {
  bench = await DownloadBench.start();
});
afterEach(() => bench.stop());

describe('a download', () => {
  it.each([0, 1, MIB - 1, MIB, 9 * MIB + 5])(
    'of %d bytes has the bytes and the digests of the source',
    async (size) => {
      const content = randomContent(size);
      bench.origin.serve('/disk', { content });
      const result = await bench.download({ algorithms: DIGEST_ALGORITHMS });
      expect(content.equals(await bench.read())).toBe(true);
      expect(result).toEqual({
        sizeBytes: size,
        resumedFromBytes: 0,
        digests: DIGEST_ALGORITHMS.map((algorithm) => ({
          algorithm,
          value: createHash(algorithm.toLowerCase().replace('-', '')).update(content).digest('hex'),
        })),
        mirrors: [{ url: `${bench.origin.url}/disk`, outcome: 'used', bytes: size }],
      });
    },
  );

  it('of a body without a length is whole', async () => {
    const content = randomContent(3 * MIB);
    bench.origin.serve('/disk', { content, announcedBytes: null });
    expect(await bench.download()).toMatchObject({ sizeBytes: 3 * MIB, digests: [{ value: sha256(content) }] });
  });

  it('reports progress without the secrets of the URL', async () => {
    bench.origin.serve('/disk', { content: randomContent(2 * MIB), bytesPerSecond: 6 * MIB, credentials: 'me:secret' });
    const seen: DownloadProgress[] = [];
    const url = new URL(`${bench.origin.url}/disk?secret`);
    url.username = 'me';
    url.password = 'secret';
    await bench.download({ sources: [url.href] }, { onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.at(-1)).toMatchObject({ totalBytes: 2 * MIB, mirrors: [{ url: `${bench.origin.url}/disk` }] });
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect(await readFile(`${bench.partialPath}.journal`, 'utf8')).not.toContain('secret');
  });
});

describe('after an interruption', () => {
  it('continues at the byte reached, wherever connections drop', async () => {
    const content = randomContent(3 * MIB);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 * MIB - 1 }), fc.boolean(), async (bytes, isIgnoringRange) => {
        await discardPartial(bench.partialPath);
        bench.origin.serve('/disk', { content, isIgnoringRange, dropAfterBytes: { bytes, times: 1 } });
        const before = bench.origin.statistics('/disk').bytes;
        const { digests } = await bench.download();
        expect(digests[0]?.value).toBe(sha256(content));
        const repeated = isIgnoringRange ? bytes : 0;
        expect(bench.origin.statistics('/disk').bytes - before).toBe(content.length + repeated);
      }),
      { numRuns: 6 },
    );
  });

  it('by SIGKILL a new process asks only for the bytes that were not synced', async () => {
    const content = randomContent(24 * MIB);
    bench.origin.serve('/disk', { content, bytesPerSecond: 8 * MIB });
    const module = join(import.meta.dirname, 'download.ts');
    const program = `import { download } from ${JSON.stringify(module)};
      await download(${JSON.stringify(bench.request())}, { signal: new AbortController().signal,
        onProgress: ({ bytes }) => console.log(bytes) });`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const chunk of child.stdout) {
      if (Number(String(chunk).trim().split('\n').at(-1)) > 16 * MIB) break;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');

    const served = bench.origin.statistics('/disk').bytes;
    bench.origin.serve('/disk', { content });
    const result = await bench.download();
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.resumedFromBytes).toBeGreaterThan(0);
    expect(bench.origin.statistics('/disk').bytes - served).toBe(content.length - result.resumedFromBytes);
  }, 20_000);

  /** Leaves a partial file of exactly so many bytes. */
  const interruptAt = async (content: Buffer, bytes: number): Promise<void> => {
    bench.origin.serve('/disk', { content, dropAfterBytes: { bytes }, status: { code: 404, skip: 1 } });
    await expect(bench.download()).rejects.toMatchObject({ code: 'SLIPWAY_SOURCES_EXHAUSTED' });
  };

  it('trusts no byte beyond what the journal says was synced', async () => {
    const content = randomContent(2 * MIB);
    await interruptAt(content, MIB);
    await appendFile(bench.partialPath, randomContent(500_000));
    bench.origin.serve('/disk', { content });
    expect(await bench.download()).toMatchObject({ resumedFromBytes: MIB, digests: [{ value: sha256(content) }] });
  });

  it.each([
    ['a torn journal', () => writeFile(`${bench.partialPath}.journal`, '{"syncedBy')],
    ['a file that lost bytes', () => truncate(bench.partialPath, 1000)],
  ])('begins anew after %s', async (_what, damage) => {
    const content = randomContent(2 * MIB);
    await interruptAt(content, MIB);
    await damage();
    bench.origin.serve('/disk', { content });
    expect(await bench.download()).toMatchObject({ resumedFromBytes: 0, digests: [{ value: sha256(content) }] });
  });

  it('drops the bytes of a file that has changed since', async () => {
    await interruptAt(randomContent(2 * MIB), MIB);
    const content = randomContent(2 * MIB);
    bench.origin.serve('/disk', { content });
    const { digests } = await bench.download();
    expect(digests[0]?.value).toBe(sha256(content));
  });

  it('asks nobody when only the last sync was missing', async () => {
    const content = randomContent(2 * MIB);
    bench.origin.serve('/disk', { content });
    await bench.download();
    const journalPath = `${bench.partialPath}.journal`;
    const { finished, ...journal } = JSON.parse(await readFile(journalPath, 'utf8')) as Record<string, unknown>;
    expect(finished).toMatchObject({ sizeBytes: 2 * MIB });
    await writeFile(journalPath, JSON.stringify(journal));
    const result = await bench.download();
    expect(result).toMatchObject({ resumedFromBytes: 2 * MIB, digests: [{ value: sha256(content) }] });
    expect(bench.origin.statistics('/disk').requests).toBe(1);
  });
});

describe('a repeated call', () => {
  it('for a finished file answers without the network', async () => {
    const content = randomContent(MIB);
    bench.origin.serve('/disk', { content });
    const first = await bench.download();
    expect(await bench.download()).toEqual({ ...first, resumedFromBytes: MIB, mirrors: [] });
    expect(bench.origin.statistics('/disk').requests).toBe(1);
    expect(await readFinishedDigests(bench.partialPath)).toEqual(first.digests);
  });

  it('for a finished file with another algorithm reads the disk and not the network', async () => {
    const content = randomContent(MIB);
    bench.origin.serve('/disk', { content });
    await bench.download();
    const { digests } = await bench.download({ algorithms: ['SHA-512'] });
    expect(digests).toEqual([{ algorithm: 'SHA-512', value: createHash('sha512').update(content).digest('hex') }]);
    expect(bench.origin.statistics('/disk').requests).toBe(1);
  });

  it('for the same path ends the older one and continues where it was', async () => {
    const content = randomContent(4 * MIB);
    bench.origin.serve('/disk', { content, bytesPerSecond: 4 * MIB });
    let second: ReturnType<DownloadBench['download']> | undefined;
    const first = bench.download(
      {},
      { onProgress: ({ bytes }) => void (bytes > MIB && (second ??= bench.download())) },
    );
    await expect(first).rejects.toMatchObject({ code: 'SLIPWAY_FENCED' });
    const result = await second;
    expect(result?.digests[0]?.value).toBe(sha256(content));
    expect(result?.resumedFromBytes).toBeGreaterThan(MIB);
  });

  it('after a discard begins anew, and the discard leaves nothing', async () => {
    bench.origin.serve('/disk', { content: randomContent(MIB) });
    await bench.download();
    await discardPartial(bench.partialPath);
    expect(await readdir(bench.directory)).toEqual([]);
    expect(await readFinishedDigests(bench.partialPath)).toBeUndefined();
    await discardPartial(bench.partialPath);
    expect(await bench.download()).toMatchObject({ resumedFromBytes: 0, sizeBytes: MIB });
  });
});

describe('an abort', () => {
  it('ends a transfer at once and keeps what has arrived', async () => {
    const content = randomContent(4 * MIB);
    bench.origin.serve('/disk', { content, bytesPerSecond: 2 * MIB });
    const controller = new AbortController();
    const aborted = bench.download(
      {},
      { signal: controller.signal, onProgress: ({ bytes }) => void (bytes > MIB && controller.abort()) },
    );
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    bench.origin.serve('/disk', { content });
    const result = await bench.download();
    expect(result.resumedFromBytes).toBeGreaterThan(MIB);
    expect(result.digests[0]?.value).toBe(sha256(content));
  });

  it('ends the wait before another try', async () => {
    bench.origin.serve('/disk', { content: 'x', status: { code: 503, headers: { 'retry-after': '3600' } } });
    const controller = new AbortController();
    const aborted = bench.download({}, { signal: controller.signal });
    while (bench.origin.statistics('/disk').requests === 0) await new Promise(setImmediate);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('before the start touches nothing', async () => {
    await expect(bench.download({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(bench.directory)).toEqual([]);
  });
});

describe('a disk', () => {
  itUnless(
    mountObstacle,
    'without space ends the download for this pool, and other sources are left alone',
    async () => {
      const disk = await mountSmallFileSystem(4 * MIB);
      try {
        bench.origin.serve('/disk', { content: randomContent(8 * MIB) });
        const sources = [`${bench.origin.url}/disk`, `${bench.mirror.url}/disk`];
        const full = bench.download({ sources, partialPath: join(disk.path, 'image.partial') });
        await expect(full).rejects.toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
        expect(bench.mirror.statistics('/disk').requests).toBe(0);
      } finally {
        await disk.remove();
      }
    },
  );

  it('that is not there is a failure of the pool', async () => {
    bench.origin.serve('/disk', { content: 'x' });
    const gone = bench.download({ partialPath: join(bench.directory, 'missing', 'image.partial') });
    await expect(gone).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
  });
});
