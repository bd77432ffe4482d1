import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { metalinkDocument } from '../../demo/origin-server.js';
import { backedBy } from '../../kvm/image/hostile-qcow2.js';
import { qcow2, writeSparseFile } from '../../kvm/image/image-builder.js';
import { CommandBench } from './test-support.js';

// Each test starts the program, which is translated first.
jest.setTimeout(60_000);

let bench: CommandBench;
beforeAll(async () => {
  bench = await CommandBench.start();
  await writeSparseFile(join(bench.directory, 'good.qcow2'), qcow2());
  await writeSparseFile(join(bench.directory, 'bad.qcow2'), backedBy('/etc/passwd'));
  bench.origin.serve('/good.qcow2', { content: await readFile(join(bench.directory, 'good.qcow2')) });
  bench.origin.serve('/text', { content: 'a text that is longer than nothing' });
  bench.origin.serve('/good.meta4', {
    content: metalinkDocument({
      name: 'good.qcow2',
      sizeBytes: 262_144,
      sha256: '0'.repeat(64),
      mirrors: [
        { url: `${bench.origin.url}/good.qcow2?signature=secret`, priority: 1, location: 'de' },
        { url: `${bench.origin.url}/gone.qcow2`, priority: 2 },
        { url: 'ftp://a.example/disk', priority: 3 },
      ],
    }),
  });
});
afterAll(() => bench.stop());

async function json(...args: string[]): Promise<{ exitCode: number | null; result: unknown }> {
  const { exitCode, stdout } = await bench.run(...args, '--json');
  return { exitCode, result: JSON.parse(stdout) };
}

describe('inspect', () => {
  it('tells the format and the sizes of an image', async () => {
    const path = join(bench.directory, 'good.qcow2');
    const { length } = await readFile(path);
    expect(await json('inspect', path)).toEqual({
      exitCode: 0,
      result: {
        command: 'inspect',
        isOk: true,
        path,
        format: 'QCOW2',
        virtualSizeBytes: expect.any(Number) as number,
        sizeBytes: length,
      },
    });
  });

  it.each([
    ['bad.qcow2', [], 4, 'SLIPWAY_IMAGE_BACKING_FILE'],
    ['good.qcow2', ['--format', 'raw'], 4, 'SLIPWAY_IMAGE_FORMAT'],
    ['nothing', [], 1, 'SLIPWAY_PARAMETER_INVALID'],
    ['.', [], 1, 'SLIPWAY_PARAMETER_INVALID'],
  ])('refuses %s %j with %d', async (name, options, exitCode, code) => {
    expect(await json('inspect', join(bench.directory, name), ...options)).toMatchObject({
      exitCode,
      result: { code },
    });
  });
});

describe('probe', () => {
  it('tells what each source of a metalink answers', async () => {
    expect(await json('probe', `${bench.origin.url}/good.meta4`, '--allow-loopback')).toMatchObject({
      exitCode: 0,
      result: {
        isMetalink: true,
        sizeBytes: 262_144,
        mirrors: [{ outcome: 'used' }, { outcome: 'failed', code: 'SLIPWAY_SOURCE_HTTP_4XX' }],
      },
    });
  });

  it.each([
    ['/good.qcow2', expect.any(Number)],
    ['/text', null],
  ])('tells the size of %s', async (path, virtualSizeBytes) => {
    expect(await json('probe', `${bench.origin.url}${path}`, '--allow-loopback')).toEqual({
      exitCode: 0,
      result: {
        command: 'probe',
        isOk: true,
        isMetalink: false,
        sizeBytes: expect.any(Number) as number,
        virtualSizeBytes,
        mirrors: [{ url: `${bench.origin.url}${path}`, outcome: 'used', bytes: expect.any(Number) as number }],
      },
    });
  });
});

describe('metalink', () => {
  const expected = () => ({
    command: 'metalink',
    isOk: true,
    isMetalink: true,
    sizeBytes: 262_144,
    digests: [{ algorithm: 'SHA-256', value: '0'.repeat(64) }],
    pieces: null,
    tiers: [
      { priority: 1, location: 'de', urls: [`${bench.origin.url}/good.qcow2`] },
      { priority: 2, location: null, urls: [`${bench.origin.url}/gone.qcow2`] },
    ],
    dropped: [{ what: 'ftp://a.example/disk', why: expect.any(String) as string }],
  });

  it('tells what a document at a URL says, and what of it is not used', async () => {
    const url = `${bench.origin.url}/good.meta4`;
    expect(await json('metalink', url, '--allow-loopback')).toEqual({ exitCode: 0, result: expected() });
  });

  it('tells the same of a file, in words too', async () => {
    const response = await fetch(`${bench.origin.url}/good.meta4`);
    const path = await bench.write('good.meta4', await response.text());
    expect(await json('metalink', path)).toEqual({ exitCode: 0, result: expected() });
    const { stdout } = await bench.run('metalink', path);
    expect(stdout).toContain(`{SHA-256}${'0'.repeat(64)}`);
    expect(stdout).toContain('ftp://a.example/disk');
    expect(stdout).not.toContain('secret');
  });

  it.each([
    ['/good.qcow2', 'SLIPWAY_METALINK_INVALID'],
    ['/gone.meta4', 'SLIPWAY_SOURCE_HTTP_4XX'],
  ])('of %s fails', async (path, code) => {
    const url = `${bench.origin.url}${path}`;
    expect(await json('metalink', url, '--allow-loopback')).toMatchObject({ exitCode: 2, result: { code } });
  });
});

describe('the program', () => {
  it('explains itself', async () => {
    const { exitCode, stdout } = await bench.run('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('usage: slipway-image fetch URL --pool DIR');
    expect(stdout.split('\n').every((line) => line.length <= 88)).toBe(true);
  });

  it('says what is wrong with its arguments, with --json too', async () => {
    expect(await bench.run('fetch', '--pool')).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await json('nonsense')).toMatchObject({ exitCode: 1, result: { code: 'SLIPWAY_PARAMETER_INVALID' } });
  });
});
