import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountObstacle, mountSmallFileSystem, type SmallFileSystem } from '../../tests/support/small-file-system.js';
import { describeUnless } from '../../tests/support/unless.js';
import { discardPartial } from './download.js';
import { type FaultServer, startFaultServer } from './fault-server.js';
import { DownloadBench, MIB, randomContent, sha256 } from './test-support.js';

const PAGE = 4096;

describeUnless(mountObstacle, 'a disk that is full', () => {
  const content = randomContent(2 * MIB);
  let bench: DownloadBench;
  let server: FaultServer;
  let disk: SmallFileSystem;
  let partialPath: string;
  beforeEach(async () => {
    bench = await DownloadBench.start();
    server = await startFaultServer();
    disk = await mountSmallFileSystem(4 * MIB);
    partialPath = join(disk.path, 'image.partial');
  });
  afterEach(async () => {
    await disk.remove();
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
    const filler = join(disk.path, 'filler');
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
    expect(await readdir(disk.path)).toEqual([]);
  });

  it('can be cleared of what a download left', async () => {
    await writeFile(join(disk.path, 'filler'), Buffer.alloc(3 * MIB));
    server.serve('/a', { content });
    await expect(bench.download({ sources: [`${server.url}/a`], partialPath })).rejects.toMatchObject({
      code: 'SLIPWAY_POOL_FULL',
    });
    await discardPartial(partialPath);
    expect(await readdir(disk.path)).toEqual(['filler']);
  });
});
