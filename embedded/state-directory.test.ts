import { execFile } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rootObstacle } from '../tests/support/obstacles.js';
import { mountObstacle } from '../tests/support/small-file-system.js';
import { itUnless } from '../tests/support/unless.js';
import { printsReady, startChildProcess } from './child-process.js';
import { createTemporaryStateDirectory, openStateDirectory } from './state-directory.js';

const run = promisify(execFile);

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('state directory', () => {
  let scratch: string;
  let clone: string;
  let dataRoot: string;

  beforeEach(async () => {
    scratch = await realpath(await mkdtemp(join(tmpdir(), 'slipway-state-')));
    clone = join(scratch, 'clone');
    dataRoot = join(scratch, 'data');
    await mkdir(clone, { mode: 0o700 });
  });
  afterEach(() => rm(scratch, { recursive: true, force: true }));

  test('with a data root, .slipway is a link to data outside of the clone that others may pass through', async () => {
    const { path } = await openStateDirectory(clone, dataRoot);
    expect(path.startsWith(`${dataRoot}/`)).toBe(true);
    expect(await readlink(join(clone, '.slipway'))).toBe(path);
    expect(await modeOf(dataRoot)).toBe(0o711);
    expect(await modeOf(path)).toBe(0o711);
  });

  test('opening again finds the same data and the same key', async () => {
    const first = await openStateDirectory(clone, dataRoot);
    const key = await first.secretKey();
    const second = await openStateDirectory(clone, dataRoot);
    expect(second.path).toBe(first.path);
    expect(await second.secretKey()).toBe(key);
  });

  itUnless(mountObstacle, 'a key that did not fit on a full disk is made when there is room', async () => {
    await mkdir(dataRoot);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'slipway-test', dataRoot]);
    try {
      const filler = join(dataRoot, 'filler');
      await writeFile(filler, Buffer.alloc(8192));
      const state = await openStateDirectory(clone, dataRoot);
      await expect(state.secretKey()).rejects.toMatchObject({ code: 'ENOSPC' });
      await rm(filler);
      expect(Buffer.from(await state.secretKey(), 'base64')).toHaveLength(32);
    } finally {
      await run('umount', [dataRoot]);
    }
  });

  test('two clones have two directories', async () => {
    const other = join(scratch, 'other');
    await mkdir(other);
    expect((await openStateDirectory(other, dataRoot)).path).not.toBe((await openStateDirectory(clone, dataRoot)).path);
  });

  test('a clone that was copied does not work on the data of the one it came from', async () => {
    const { path } = await openStateDirectory(clone, dataRoot);
    const copy = join(scratch, 'copy');
    await mkdir(copy);
    await symlink(path, join(copy, '.slipway'));
    const opened = await openStateDirectory(copy, dataRoot);
    expect(opened.path).not.toBe(path);
    expect(await readlink(join(copy, '.slipway'))).toBe(opened.path);
  });

  test('without a data root it is a real directory in the clone', async () => {
    const { path } = await openStateDirectory(clone, null);
    expect(path).toBe(join(clone, '.slipway'));
    expect((await lstat(path)).isDirectory()).toBe(true);
  });

  test('a directory of another user is refused, not shadowed', async () => {
    await openStateDirectory(clone, null);
    await expect(openStateDirectory(clone, dataRoot)).rejects.toMatchObject({ code: 'SLIPWAY_INSTALLATION' });
  });

  itUnless(
    rootObstacle('to become another user'),
    'a link that root has made is refused to others in plain words',
    async () => {
      await openStateDirectory(clone, dataRoot);
      await chmod(scratch, 0o755);
      await chmod(clone, 0o755);
      process.seteuid?.(65_534);
      try {
        await expect(openStateDirectory(clone, null)).rejects.toMatchObject({ code: 'SLIPWAY_INSTALLATION' });
      } finally {
        process.seteuid?.(0);
      }
    },
  );

  test('the key has 32 bytes and only its owner may read it', async () => {
    const state = await openStateDirectory(clone, dataRoot);
    expect(Buffer.from(await state.secretKey(), 'base64')).toHaveLength(32);
    expect(await modeOf(join(state.path, 'secret.key'))).toBe(0o600);
    expect((await readFile(join(state.path, 'secret.key'), 'utf8')).trim()).toBe(await state.secretKey());
  });

  test('it is held by one at a time', async () => {
    const state = await createTemporaryStateDirectory();
    const release = await state.lock();
    await expect(state.lock()).rejects.toThrow(/already running/);
    await release();
    const releaseAgain = await state.lock();
    await releaseAgain();
    await state.remove();
  });

  test('a holder that was killed leaves no lock behind', async () => {
    const state = await openStateDirectory(clone, dataRoot);
    const child = await startChildProcess({
      name: 'holder',
      command: process.execPath,
      args: [
        '--import',
        'tsx',
        '--eval',
        `import { openStateDirectory } from '${join(import.meta.dirname, 'state-directory.ts')}';
         const state = await openStateDirectory('${clone}', '${dataRoot}');
         await state.lock();
         console.log('ready');`,
        '--input-type=module',
      ],
      env: process.env,
      cwd: join(import.meta.dirname, '..'),
      logPath: join(scratch, 'holder.log'),
    });
    expect(await printsReady(child)(AbortSignal.timeout(20_000))).toBe(true);
    await expect(state.lock()).rejects.toThrow(/already running/);
    child.kill('SIGKILL');
    await child.exited;
    const release = await state.lock();
    await release();
  }, 30_000);
});
