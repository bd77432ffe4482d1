import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { metalinkDocument } from '../../demo/origin-server.js';
import { backedBy } from '../../kvm/image/hostile-qcow2.js';
import { qcow2, writeSparseFile } from '../../kvm/image/image-builder.js';
import { mountObstacle, mountSmallFileSystem } from '../../tests/support/small-file-system.js';
import { itUnless } from '../../tests/support/unless.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { CommandBench } from './test-support.js';

const MIB = 1024 ** 2;
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
/** A raw disk: what does not begin as anything else. */
const disk = (bytes: number): Buffer => Buffer.concat([Buffer.alloc(512), randomBytes(bytes - 512)]);
const zstd = (content: Buffer): Buffer => execFileSync('zstd', ['-q', '-c'], { input: content, maxBuffer: 64 * MIB });

// Each test starts the program, which is translated first.
jest.setTimeout(60_000);

let bench: CommandBench;
beforeEach(async () => {
  bench = await CommandBench.start();
});
afterEach(() => bench.stop());

const image = (name: string): Promise<Buffer> => readFile(join(bench.pool, name));

async function serveImage(path: string, file: ReturnType<typeof qcow2>): Promise<Buffer> {
  const at = join(bench.directory, 'served');
  await writeSparseFile(at, file);
  const content = await readFile(at);
  bench.origin.serve(path, { content });
  return content;
}

describe('fetch', () => {
  it('puts an image under its name, and tells everything as JSON', async () => {
    const content = await serveImage('/images/disk.qcow2', qcow2());
    const url = `${bench.origin.url}/images/disk.qcow2`;
    const { exitCode, stdout, stderr } = await bench.run(...bench.fetchArguments(`${url}?signature=secret`));
    expect(JSON.parse(stdout)).toEqual({
      command: 'fetch',
      isOk: true,
      path: join(bench.pool, 'disk.qcow2'),
      format: 'QCOW2',
      virtualSizeBytes: expect.any(Number) as number,
      sizeBytes: content.length,
      download: {
        sizeBytes: content.length,
        resumedFromBytes: 0,
        compression: null,
        digests: [{ algorithm: 'SHA-256', value: sha256(content) }],
        isVerified: false,
        attempts: 1,
        elapsedMs: expect.any(Number) as number,
        mirrors: [{ url, outcome: 'used', bytes: content.length }],
      },
    });
    expect(exitCode).toBe(0);
    const events = stderr.trimEnd().split('\n');
    expect(events.map((line) => (JSON.parse(line) as { event: string }).event)).toContain('note');
    expect(`${stdout}${stderr}`).not.toContain('secret');
    expect(await bench.files()).toEqual(['disk.qcow2']);
    expect(content.equals(await image('disk.qcow2'))).toBe(true);
    expect((await stat(join(bench.pool, 'disk.qcow2'))).mode & 0o777).toBe(0o644);
  });

  it('tells people the same in words', async () => {
    const content = await serveImage('/disk.qcow2', qcow2());
    const { exitCode, stdout } = await bench.run(
      'fetch',
      `${bench.origin.url}/disk.qcow2`,
      '--pool',
      bench.pool,
      '--allow-loopback',
      '--checksum',
      `{SHA-256}${sha256(content)}`,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain(join(bench.pool, 'disk.qcow2'));
    expect(stdout).toContain(`{SHA-256}${sha256(content)}, as expected`);
  });

  it.each([
    ['gz', 'gzip', gzipSync],
    ['zst', 'zstd', zstd],
  ] as const)('unpacks .%s on the way, and checks what was downloaded', async (suffix, compression, pack) => {
    const content = disk(3 * MIB);
    const packed = pack(content);
    bench.origin.serve(`/disk.raw.${suffix}`, { content: packed });
    const checksum = `{SHA-256}${sha256(packed)}`;
    const { exitCode, result } = await bench.fetch(`${bench.origin.url}/disk.raw.${suffix}`, '--checksum', checksum);
    expect(result).toMatchObject({
      format: 'RAW',
      sizeBytes: content.length,
      download: { sizeBytes: packed.length, compression, isVerified: true },
    });
    expect(exitCode).toBe(0);
    expect(await bench.files()).toEqual(['disk.raw']);
    expect(content.equals(await image('disk.raw'))).toBe(true);
  });

  it('fetches a wrong piece of a metalink again, elsewhere, and names who sent it', async () => {
    const content = disk(4 * MIB);
    const wrong = Buffer.from(content);
    wrong[2 * MIB + 5]! ^= 1;
    bench.origin.serve('/disk', { content: wrong });
    bench.mirror.serve('/disk', { content, bytesPerSecond: 8 * MIB });
    const urls = [`${bench.origin.url}/disk`, `${bench.mirror.url}/disk`];
    const hashes = [0, 1, 2, 3].map((piece) => sha256(content.subarray(piece * MIB, (piece + 1) * MIB)));
    const pieces = `<pieces type="sha-256" length="${MIB}">${hashes.map((hash) => `<hash>${hash}</hash>`).join('')}</pieces>`;
    const document = metalinkDocument({
      name: 'disk',
      sizeBytes: content.length,
      sha256: sha256(content),
      mirrors: urls.map((url) => ({ url, priority: 1 })),
    }).replace('</file>', `${pieces}</file>`);
    bench.origin.serve('/disk.raw.meta4', { content: document });
    const { exitCode, result } = await bench.fetch(`${bench.origin.url}/disk.raw.meta4`);
    expect(result).toMatchObject({
      path: join(bench.pool, 'disk.raw'),
      download: {
        isVerified: true,
        attempts: 1,
        mirrors: [
          { url: urls[0], code: 'SLIPWAY_SOURCE_PIECE' },
          { url: urls[1], outcome: 'used' },
        ],
      },
    });
    expect(exitCode).toBe(0);
    expect(content.equals(await image('disk.raw'))).toBe(true);
  });

  it('asks the mirrors one by one after a wrong checksum, the innocent one first', async () => {
    const content = disk(3 * MIB);
    const wrong = Buffer.from(content);
    wrong[MIB]! ^= 1;
    bench.origin.serve('/disk', { content: wrong });
    bench.mirror.serve('/disk', { content });
    const document = metalinkDocument({
      name: 'disk',
      sizeBytes: content.length,
      sha256: sha256(content),
      mirrors: [
        { url: `${bench.origin.url}/disk`, priority: 1 },
        { url: `${bench.mirror.url}/disk`, priority: 2 },
      ],
    });
    bench.origin.serve('/disk.raw.meta4', { content: document });
    const { exitCode, result } = await bench.fetch(`${bench.origin.url}/disk.raw.meta4`);
    expect(result).toMatchObject({ download: { attempts: 2, mirrors: [{ url: `${bench.mirror.url}/disk` }] } });
    expect(exitCode).toBe(0);
  });

  it('sends headers to the origin of the URL only', async () => {
    const content = disk(MIB);
    bench.mirror.serve('/disk', { content });
    bench.origin.serve('/disk.raw.meta4', {
      content: metalinkDocument({
        name: 'disk',
        sizeBytes: content.length,
        sha256: sha256(content),
        mirrors: [{ url: `${bench.mirror.url}/disk` }],
      }),
      credentials: 'me:secret',
    });
    const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const headers = await bench.write('headers', `Authorization: ${authorization}\n`);
    const { exitCode } = await bench.fetch(`${bench.origin.url}/disk.raw.meta4`, '--header', `@${headers}`);
    expect(exitCode).toBe(0);
    expect(bench.origin.statistics('/disk.raw.meta4').authorizations).toContain(authorization);
    expect(bench.mirror.statistics('/disk')).toMatchObject({ authorizations: [] });
  });

  it('replaces a file only with --force', async () => {
    await serveImage('/disk.qcow2', qcow2());
    await writeFile(join(bench.pool, 'disk.qcow2'), 'precious');
    const url = `${bench.origin.url}/disk.qcow2`;
    const { exitCode, result } = await bench.fetch(url);
    expect({ exitCode, result }).toMatchObject({ exitCode: 1, result: { code: 'SLIPWAY_PARAMETER_INVALID' } });
    expect(bench.origin.statistics('/disk.qcow2').requests).toBe(0);
    expect((await image('disk.qcow2')).toString()).toBe('precious');
    expect(await bench.fetch(url, '--force')).toMatchObject({ exitCode: 0 });
    expect(await bench.files()).toEqual(['disk.qcow2']);
    expect((await image('disk.qcow2')).toString('latin1', 0, 3)).toBe('QFI');
  });
});

describe('an interrupted fetch', () => {
  it.each([
    ['SIGKILL', null],
    ['SIGINT', 130],
  ] as const)('by %s is continued by the same command', async (signal, exitCode) => {
    const content = disk(24 * MIB);
    bench.origin.serve('/disk.raw', { content, bytesPerSecond: 6 * MIB });
    const url = `${bench.origin.url}/disk.raw`;
    const first = bench.start(bench.fetchArguments(url));
    // A checkpoint is made every few seconds.
    await waitFor('some of it is safe', async () => (await bench.files()).some((name) => name.endsWith('.journal')));
    const second = await bench.fetch(url);
    expect(second).toMatchObject({ exitCode: 5, result: { code: 'SLIPWAY_RESOURCE_BUSY' } });
    first.child.kill(signal);
    expect((await first.ended).exitCode).toBe(exitCode);
    expect((await bench.files()).every((name) => name.startsWith('.slipway-image.'))).toBe(true);
    bench.origin.serve('/disk.raw', { content });
    const third = await bench.fetch(url);
    expect(third).toMatchObject({
      exitCode: 0,
      result: { download: { digests: [{ algorithm: 'SHA-256', value: sha256(content) }] } },
    });
    const { resumedFromBytes } = third.result['download'] as { resumedFromBytes: number };
    expect(resumedFromBytes).toBeGreaterThan(0);
    expect(await bench.files()).toEqual(['disk.raw']);
    expect(content.equals(await image('disk.raw'))).toBe(true);
  });
});

describe('a fetch that fails leaves nothing', () => {
  afterEach(async () => {
    expect(await bench.files()).toEqual([]);
  });

  it('when the checksum is wrong: 3', async () => {
    bench.origin.serve('/disk.raw', { content: disk(MIB) });
    const { exitCode, result } = await bench.fetch(
      `${bench.origin.url}/disk.raw`,
      '--checksum',
      `{MD5}${'0'.repeat(32)}`,
    );
    expect(result).toEqual({
      isOk: false,
      exitCode: 3,
      code: 'SLIPWAY_CHECKSUM_MISMATCH',
      message: expect.stringContaining(`expected {MD5}${'0'.repeat(32)}, actual {MD5}`) as string,
      remedies: [expect.stringContaining('publisher')],
      mirrors: [],
    });
    expect(exitCode).toBe(3);
  });

  it.each([
    ['as it is', (content: Buffer) => content],
    ['packed', gzipSync],
  ])('when the image is hostile, %s: 4', async (_, pack) => {
    const content = pack(await serveImage('/disk.qcow2', backedBy('/etc/passwd')));
    bench.origin.serve('/disk.qcow2', { content });
    const checksum = `{SHA-256}${sha256(content)}`;
    expect(await bench.fetch(`${bench.origin.url}/disk.qcow2`, '--checksum', checksum)).toMatchObject({
      exitCode: 4,
      result: { code: 'SLIPWAY_IMAGE_BACKING_FILE' },
    });
    expect(bench.origin.statistics('/disk.qcow2').bytes).toBeLessThan(2 * content.length);
  });

  it('when a packed image is damaged, though its checksum is right: 4', async () => {
    const content = gzipSync(disk(MIB)).subarray(0, MIB / 2);
    bench.origin.serve('/disk.raw.gz', { content });
    const checksum = `{SHA-256}${sha256(content)}`;
    expect(await bench.fetch(`${bench.origin.url}/disk.raw.gz`, '--checksum', checksum)).toMatchObject({
      exitCode: 4,
      result: { code: 'SLIPWAY_UNPACK_CORRUPT' },
    });
  });

  it('when the image is not of the format given: 4', async () => {
    await serveImage('/disk.qcow2', qcow2());
    expect(await bench.fetch(`${bench.origin.url}/disk.qcow2`, '--format', 'raw')).toMatchObject({
      exitCode: 4,
      result: { code: 'SLIPWAY_IMAGE_FORMAT' },
    });
  });

  it('when the directory is not there: 5', async () => {
    const { exitCode } = await bench.fetch(`${bench.origin.url}/disk.raw`, '--pool', join(bench.pool, 'nowhere'));
    expect(exitCode).toBe(5);
  });

  // A file system that fills up has to be mounted, which takes root.
  itUnless(mountObstacle, 'when the image does not fit into the directory: 5', async () => {
    const small = await mountSmallFileSystem(4 * MIB);
    try {
      bench.origin.serve('/disk.raw', { content: disk(24 * MIB), bytesPerSecond: 12 * MIB });
      expect(await bench.fetch(`${bench.origin.url}/disk.raw`, '--pool', small.path)).toMatchObject({
        exitCode: 5,
        result: { code: 'SLIPWAY_POOL_FULL' },
      });
      expect(bench.origin.statistics('/disk.raw').bytes).toBeLessThan(24 * MIB);
    } finally {
      await small.remove();
    }
  });

  it('when the header is none: 1', async () => {
    const { exitCode, result } = await bench.fetch(`${bench.origin.url}/disk.raw`, '--header', 'secret');
    expect({ exitCode, result }).toMatchObject({ exitCode: 1, result: { code: 'SLIPWAY_HEADER_INVALID' } });
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});

describe('a fetch whose source fails', () => {
  it('ends with 2 and a report for each source', async () => {
    const url = `${bench.origin.url}/nothing.raw`;
    expect(await bench.fetch(url)).toMatchObject({
      exitCode: 2,
      result: {
        code: 'SLIPWAY_SOURCES_EXHAUSTED',
        mirrors: [{ url, outcome: 'failed', code: 'SLIPWAY_SOURCE_HTTP_4XX' }],
      },
    });
  });

  it('never leads to this host itself, unless that is allowed', async () => {
    bench.origin.serve('/disk.raw', { content: disk(MIB) });
    const { exitCode, stderr } = await bench.run('fetch', `${bench.origin.url}/disk.raw`, '--pool', bench.pool);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--allow-loopback');
    expect(bench.origin.statistics('/disk.raw').requests).toBe(0);
  });
});
