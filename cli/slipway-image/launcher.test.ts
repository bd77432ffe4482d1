import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const launcher = join(import.meta.dirname, '../../scripts/slipway-image');

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'slipway launcher-'));
  await mkdir(join(clone, 'scripts'));
  await copyFile(launcher, join(clone, 'scripts/slipway-image'));
});
afterEach(() => rm(clone, { recursive: true, force: true }));

describe('scripts/slipway-image', () => {
  it('says so when nothing is built yet', async () => {
    await expect(run(join(clone, 'scripts/slipway-image'))).rejects.toMatchObject({
      code: 6,
      stderr: expect.stringContaining('./scripts/setup builds it') as string,
    });
  });

  it('runs what is built, through a link as npx makes one', async () => {
    const main = join(clone, 'dist/cli/slipway-image/main.js');
    await mkdir(dirname(main), { recursive: true });
    await writeFile(main, 'console.log(JSON.stringify(process.argv.slice(2)))');
    const link = join(clone, 'linked');
    await symlink('scripts/slipway-image', link);
    const { stdout } = await run(link, ['fetch', 'a b']);
    expect(JSON.parse(stdout)).toEqual(['fetch', 'a b']);
  });
});
