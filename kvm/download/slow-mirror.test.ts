import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSourceClient } from './create-source-client.js';
import { DownloadJob } from './download-job.js';
import { type FaultServer, startFaultServer } from './fault-server.js';
import { Mirror } from './mirror.js';
import { PartialDownload } from './partial-download.js';
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

it('a mirror far slower than another is left, and comes back when there is no other', async () => {
  const content = randomContent(16 * MIB);
  let release = (): void => undefined;
  const until = new Promise<void>((done) => (release = done));
  // Held in the middle, so that their speeds are those of a clock that the test moves.
  server.serve('/fast', {
    content,
    faults: [
      { holdAt: { byte: 4 * MIB, until }, endAt: 4 * MIB },
      ...Array.from({ length: 9 }, () => ({ status: 404 })),
    ],
  });
  server.serve('/slow', { content, faults: [{ holdAt: { byte: MIB / 64, until } }] });
  const [fast, slow] = [new Mirror(`${server.url}/fast`, 1), new Mirror(`${server.url}/slow`, 1)];
  const client = createSourceClient({ settings: testSettings({ socketTimeoutMs: 60_000 }) });
  const partial = await PartialDownload.open({
    path: bench.partialPath,
    algorithms: ['SHA-256'],
    onRefused: () => undefined,
  });
  const job = new DownloadJob({
    client,
    partial,
    mirrors: [fast, slow],
    expectedSizeBytes: content.length,
    isVouched: true,
    maxMirrors: 8,
    maxSizeBytes: content.length,
    limitsOf: () => [],
    signal: new AbortController().signal,
    withoutReader: (act) => act(),
  });
  try {
    const running = job.run();
    while (fast.bytes < 4 * MIB || slow.bytes < MIB / 64) await sleep(5);
    job.tick(performance.now() + 4_000);
    expect(slow.state).toBe('working');
    job.tick(performance.now() + 6_000);
    expect(slow.report).toMatchObject({ outcome: 'failed', code: 'SLIPWAY_SOURCE_SLOW' });
    release();
    await running;
    expect((await partial.finish()).digests[0]?.value).toBe(sha256(content));
    expect(fast.report).toMatchObject({ outcome: 'failed', code: 'SLIPWAY_SOURCE_HTTP_4XX', bytes: 4 * MIB });
    expect(slow.report).toMatchObject({ outcome: 'used' });
  } finally {
    client.close();
    await partial.close();
  }
});
