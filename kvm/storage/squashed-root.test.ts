import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { rootObstacle } from '../../tests/support/obstacles.js';
import { makePool } from '../../tests/support/test-pool.js';
import { describeUnless } from '../../tests/support/unless.js';

const NOBODY = 65_534;
/** Neither root nor the owner of the pool's files, as QEMU is. */
const SOMEBODY = 65_533;

const ref = { templateId: randomUUID(), generation: 1, epoch: 1 };
const template = `${ref.templateId}.g1.e1`;
const disk = { type: 'overlay', template, templateFormat: 'RAW', sizeBytes: null };
const volume = { volumeId: randomUUID(), token: 1, disk };

/**
 * What an NFS server with root_squash makes of root: a user who owns the pool's files and has no rights beyond that.
 */
describeUnless(rootObstacle('to become another user'), 'a pool on which root is nobody', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-squashed-'));
    await chmod(directory, 0o711);
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Runs the pool's methods in a process that loads its modules, which only root may be able to read, and then is nobody. */
  async function asNobody(body: string): Promise<void> {
    const program = `
      import { writeFile } from 'node:fs/promises';
      const { directory, ref, volume } = JSON.parse(process.argv[1]);
      // Some modules ask when they are loaded.
      process.geteuid = () => ${NOBODY};
      const { claimPoolDirectory } = await import(${JSON.stringify(join(import.meta.dirname, 'pool-marker.ts'))});
      const { FilesystemPool } = await import(${JSON.stringify(join(import.meta.dirname, 'filesystem-pool.ts'))});
      process.setgroups([]);
      process.setgid(${NOBODY});
      process.setuid(${NOBODY});
      const poolId = await claimPoolDirectory(directory, { installationId: 'test' });
      const pool = new FilesystemPool({ poolId, type: 'NetworkFilesystem', path: directory });
      ${body}`;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program, JSON.stringify({ directory, ref, volume })],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(complaint);
  }

  test('should get templates that everyone can read, and root disks that only their owner can', async () => {
    await chown(directory, NOBODY, NOBODY);
    await asNobody(`
      await writeFile(pool.partialPath(ref), Buffer.alloc(1024 ** 2), { mode: 0o600 });
      await pool.reserveSpaceFor(ref, 1024 ** 2);
      await pool.installTemplate(ref, 'RAW', false);
      await pool.createRootVolume(volume);`);
    const of = async (name: string) => {
      const { uid, mode } = await stat(join(directory, name));
      return { uid, mode: mode & 0o777 };
    };
    expect(await of(template)).toEqual({ uid: NOBODY, mode: 0o644 });
    expect(await of(`${volume.volumeId}.1`)).toEqual({ uid: NOBODY, mode: 0o600 });
    const read = (name: string) =>
      promisify(execFile)('cat', [join(directory, name)], { uid: SOMEBODY, gid: SOMEBODY, encoding: 'buffer' });
    expect((await read(template)).stdout).toHaveLength(1024 ** 2);
    await expect(read(`${volume.volumeId}.1`)).rejects.toThrow('Permission denied');
  });

  test('should say so when it joins a directory in which it may not write', async () => {
    await expect(asNobody('')).rejects.toThrow('EACCES');
    expect(await readdir(directory)).toEqual([]);
  });

  test('should be told from what another user has made, and still be the same pool', async () => {
    const { poolId } = await makePool(directory);
    await chown(directory, NOBODY, NOBODY);
    await writeFile(join(directory, 'other'), '');
    await asNobody(`if (poolId !== ${JSON.stringify(poolId)}) throw new Error(poolId);`);
  });
});
