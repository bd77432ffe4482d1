import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'slipway launcher-'));
  await mkdir(join(clone, 'scripts'));
});
afterEach(() => rm(clone, { recursive: true, force: true }));

describe.each(['slipway', 'slipway-image'])('scripts/%s', (name) => {
  beforeEach(() => copyFile(join(import.meta.dirname, '../../scripts', name), join(clone, 'scripts', name)));

  it('says so when nothing is built yet', async () => {
    await expect(run(join(clone, 'scripts', name))).rejects.toMatchObject({
      code: 6,
      stderr: expect.stringContaining('./scripts/setup builds it') as string,
    });
  });

  it('runs what is built, through a link as npx makes one', async () => {
    const main = join(clone, `dist/cli/${name}/main.js`);
    await mkdir(dirname(main), { recursive: true });
    await writeFile(main, 'console.log(JSON.stringify(process.argv.slice(2)))');
    const link = join(clone, 'linked');
    await symlink(`scripts/${name}`, link);
    const { stdout } = await run(link, ['fetch', 'a b']);
    expect(JSON.parse(stdout)).toEqual(['fetch', 'a b']);
  });
});
