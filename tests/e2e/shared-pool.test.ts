import { readdir } from 'node:fs/promises';
import { TestInstallation } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;

describe('hosts that share a pool', () => {
  let test: TestInstallation;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 2, isPoolShared: true });
  });
  afterAll(() => test.stop());

  it('boot VMs from one download, whose file both of them see', async () => {
    const disk = await test.disk(16 * MiB);
    test.origin.serve(disk.path, { content: { file: disk.file }, bytesPerSecond: 8 * MiB });
    const templateId = await test.register(`${test.origin.url}${disk.path}`, `{SHA-256}${disk.sha256}`);
    const probed = test.origin.statistics(disk.path).bytes;
    const first = await test.begin(templateId);
    await waitFor('the download has begun', async () => test.origin.statistics(disk.path).bytes > probed);
    const second = await test.begin(templateId);
    for (const { jobid } of [first, second]) await test.ended(jobid);
    for (const { id } of [first, second]) await test.hasBooted(id, disk);

    const [one, other] = [await test.hostOf(first.id), await test.hostOf(second.id)];
    expect(one.id).not.toBe(other.id);
    expect(one.poolPath).toBe(other.poolPath);
    // Once, and the little that a source is asked with first.
    expect(test.origin.statistics(disk.path).bytes - probed).toBeLessThan(disk.sizeBytes + 64 * 1024);
    expect((await readdir(one.poolPath)).filter((name) => name.startsWith(templateId))).toHaveLength(1);

    for (const { id } of [first, second]) await test.expunge(id);
    await test.leavesNothing();
  });
});
