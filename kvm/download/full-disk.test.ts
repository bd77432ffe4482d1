import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { discardPartial } from './download.js';
import { type FaultServer, startFaultServer } from './fault-server.js';
import { DownloadBench, MIB, randomContent, sha256 } from './test-support.js';

const run = promisify(execFile);
// A file system that fills up has to be mounted, which takes root.
const whenRoot = process.getuid?.() === 0 ? describe : describe.skip;
const PAGE = 4096;

whenRoot('a disk that is full', () => {
  const content = randomContent(2 * MIB);
  let bench: DownloadBench;
  let server: FaultServer;
  let pool: string;
  let partialPath: string;
  beforeEach(async () => {
    bench = await DownloadBench.start();
    server = await startFaultServer();
    pool = join(bench.directory, 'pool');
    partialPath = join(pool, 'image.partial');
    await mkdir(pool);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'slipway-test', pool]);
  });
  afterEach(async () => {
    await run('umount', [pool]);
    await bench.stop();
    await server.stop();
  });

  it.each([
    ['from the start', 0],
    ['in the first slot', 20 * PAGE],
    ['in the middle', MIB],
    ['at the last byte', content.length - PAGE],
    ['at the journal', content.length],
  ])('%s ends the download, from whichever mirrors; with space again it goes on', async (_when, freeBytes) => {
    const filler = join(pool, 'filler');
    await writeFile(filler, Buffer.alloc(4 * MIB - freeBytes));
    for (const path of ['/a', '/b']) server.serve(path, { content, always: { bytesPerSecond: 20 * MIB } });
    const request = {
      sources: [`${server.url}/a`, `${server.url}/b`],
      partialPath,
      expectedSizeBytes: content.length,
      hasVouchedDigest: true,
    };
    await expect(bench.download(request)).rejects.toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    await rm(filler);
    expect((await bench.download(request)).digests[0]?.value).toBe(sha256(content));
    await discardPartial(partialPath);
    expect(await readdir(pool)).toEqual([]);
  });

  it('can be cleared of what a download left', async () => {
    await writeFile(join(pool, 'filler'), Buffer.alloc(3 * MIB));
    server.serve('/a', { content });
    await expect(bench.download({ sources: [`${server.url}/a`], partialPath })).rejects.toMatchObject({
      code: 'SLIPWAY_POOL_FULL',
    });
    await discardPartial(partialPath);
    expect(await readdir(pool)).toEqual(['filler']);
  });
});
