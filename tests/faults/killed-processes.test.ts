import { setTimeout as sleep } from 'node:timers/promises';
import { type TestDisk, TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;
/** `KILL_ROUNDS=20` for more. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 8);
const ROUND_TIMEOUT_MS = 30_000;
/** What may be on its way, or on disk and not yet synced, when a process dies. */
const LOST_AT_MOST_BYTES = 12 * MiB;

describe('a deployment ends Running although', () => {
  let test: TestInstallation;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 1, controlWorkers: 1 });
  });
  afterAll(() => test.stop());

  /** A disk that takes about two seconds to download. */
  const slowTemplate = async (): Promise<{ disk: TestDisk; templateId: string; probedBytes: number }> => {
    const disk = await test.disk(32 * MiB);
    test.origin.serve(disk.path, { content: { file: disk.file }, bytesPerSecond: 16 * MiB });
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    return { disk, templateId, probedBytes: test.origin.statistics(disk.path).bytes };
  };
  const served = (disk: TestDisk, probedBytes: number) => test.origin.statistics(disk.path).bytes - probedBytes;
  const reaches = (disk: TestDisk, probedBytes: number, bytes: number) =>
    waitFor(`${bytes} bytes are served`, async () => served(disk, probedBytes) >= bytes);

  it(
    `its host worker is killed at random offsets, ${ROUNDS} rounds: every download is resumed`,
    async () => {
      const { worker } = test.installation.hosts[0]!;
      for (let round = 0; round < ROUNDS; round++) {
        const { disk, templateId, probedBytes } = await slowTemplate();
        const { id, jobid } = await test.begin(templateId);
        const offset = Math.floor(disk.sizeBytes * (0.1 + 0.85 * Math.random()));
        await reaches(disk, probedBytes, offset);
        worker.kill('SIGKILL');
        await worker.exited();
        await worker.restart();
        await test.ended(jobid);
        await test.hasBooted(id, disk);
        // From zero, all that was served before the kill would have been served again.
        const servedAgain = served(disk, probedBytes) - disk.sizeBytes;
        expect(servedAgain).toBeLessThan(LOST_AT_MOST_BYTES);
        await test.expunge(id);
      }
      await test.leavesNothing();
    },
    ROUNDS * ROUND_TIMEOUT_MS,
  );

  it('the control worker is killed during the download', async () => {
    const { disk, templateId, probedBytes } = await slowTemplate();
    const { id, jobid } = await test.begin(templateId);
    await reaches(disk, probedBytes, disk.sizeBytes / 3);
    const [control] = test.installation.controlWorkers;
    control!.kill('SIGKILL');
    await control!.exited();
    await sleep(500);
    await control!.restart();
    await test.ended(jobid);
    await test.hasBooted(id, disk);
    expect(served(disk, probedBytes)).toBeLessThan(disk.sizeBytes + 64 * 1024);
    await test.expunge(id);
    await test.leavesNothing();
  });

  it('the Temporal server is killed during the download, which goes on meanwhile', async () => {
    const { disk, templateId, probedBytes } = await slowTemplate();
    const { id, jobid } = await test.begin(templateId);
    await reaches(disk, probedBytes, disk.sizeBytes / 3);
    const temporal = test.installation.temporal!;
    temporal.kill('SIGKILL');
    await temporal.exited();
    await sleep(2_000);
    await temporal.restart();
    await test.ended(jobid);
    await test.hasBooted(id, disk);
    await test.expunge(id);
    await test.leavesNothing();
  });

  it('the gateway is killed right after it has answered', async () => {
    const { disk, templateId } = await slowTemplate();
    const { id, jobid } = await test.begin(templateId);
    const [gateway] = test.installation.gateways;
    gateway!.kill('SIGKILL');
    await gateway!.exited();
    await gateway!.restart();
    await test.ended(jobid);
    await test.hasBooted(id, disk);
    await test.expunge(id);
    await test.leavesNothing();
  });
});
