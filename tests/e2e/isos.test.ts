import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { TestInstallation } from '../support/test-installation.js';
import { describeUnless } from '../support/unless.js';

const run = promisify(execFile);
const PROGRAM = '/usr/bin/genisoimage';
const obstacle = existsSync(PROGRAM) ? undefined : `needs ${PROGRAM}`;

describeUnless(obstacle, 'an ISO', () => {
  let test: TestInstallation;
  let directory: string;
  let file: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-iso-'));
    file = path.join(directory, 'boot.iso');
    const files = path.join(directory, 'files');
    await mkdir(files);
    await writeFile(path.join(files, 'readme'), 'x'.repeat(200_000));
    await run(PROGRAM, ['-quiet', '-R', '-J', '-o', file, files]);
    test = await TestInstallation.start({ hosts: 1 });
    test.origin.serve('/boot.iso', { content: { file } });
  });
  afterAll(async () => {
    await test?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is read by a host when it is registered, listed as an ISO, and gone when it is deleted', async () => {
    const { id, ...iso } = await test.registerIso('/boot.iso');
    expect(iso).toMatchObject({ isready: true, size: (await stat(file)).size, bootable: true });
    expect(await test.client.call('listIsos', { id })).toMatchObject({ count: 1 });
    expect(await test.client.call('listTemplates', { templatefilter: 'all', id })).toEqual({});
    await expect(test.begin(id)).rejects.toMatchObject({ errorcode: 431 });

    expect(await test.run('deleteIso', { id })).toMatchObject({ success: true });
    expect(await test.client.call('listIsos', { id })).toEqual({});
    expect(await test.hasEvent(id, 'ISO boot was deleted')).toBe(true);
    // The host has read the beginning and kept nothing.
    const names = await readdir(test.installation.hosts[0]!.poolPath);
    expect(names.filter((name) => name.startsWith(id))).toEqual([]);
  });

  it('is refused when the file is something else', async () => {
    const disk = await test.disk(1024 ** 2);
    await expect(test.registerIso(disk.path)).rejects.toMatchObject({
      errorcode: 530,
      errortext: expect.stringContaining('the file does not begin as an ISO image does') as string,
    });
    expect(await test.client.call('listIsos', { isofilter: 'all' })).toEqual({});
  });
});
