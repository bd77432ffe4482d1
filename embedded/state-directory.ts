import { createHash, randomBytes } from 'node:crypto';
import { chmod, link, lstat, mkdir, mkdtemp, readFile, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { syncDirectory, writeFileDurably } from '../kvm/write-file-durably.js';
import { SlipwayError } from '../shared/errors.js';

/** Where root keeps data: neither PostgreSQL's user nor libvirt's QEMU can read below a clone of mode 0700. */
export const ROOT_DATA_DIRECTORY = '/var/lib/slipway';

/** Everyone may pass through, nobody else may list: QEMU has to reach disks below it. */
const PASSABLE = 0o711;

export interface StateDirectory {
  /** Real path, free of symbolic links. */
  readonly path: string;
  /** 32 bytes in base64: encrypts secrets at rest. Made on first use; losing it loses those secrets. */
  secretKey(): Promise<string>;
  /**
   * Keeps a second installation off the same data until the returned function is called or the process dies.
   * @throws SlipwayError SLIPWAY_INSTALLATION when another process holds it.
   */
  lock(): Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

export const isRoot = (): boolean => process.getuid?.() === 0;

async function makePassable(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  // mkdir's mode is cut by the umask, and a directory from an earlier run keeps its own.
  await chmod(path, PASSABLE);
}

const kindOf = async (path: string): Promise<'missing' | 'link' | 'other'> => {
  try {
    return (await lstat(path)).isSymbolicLink() ? 'link' : 'other';
  } catch {
    return 'missing';
  }
};

/**
 * Writes the file unless it is there; answers what it holds. Two starters end up with the same content. It is there as
 * a whole, synced, or not at all: half a key would be found, and used, by every later start.
 */
export async function readOrCreate(path: string, create: () => string): Promise<string> {
  if ((await kindOf(path)) === 'missing') {
    const made = `${path}.${randomBytes(6).toString('hex')}.new`;
    try {
      await writeFileDurably(made, `${create()}\n`, 0o600);
      // Unlike a rename, it does not replace what another starter has made.
      await link(made, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(made, { force: true });
    }
    await syncDirectory(dirname(path));
  }
  return (await readFile(path, 'utf8')).trim();
}

/** Abstract socket: the kernel drops it with the process, so that no kill leaves a stale lock behind. */
function hold(path: string): Promise<Server> {
  const name = createHash('sha256').update(path).digest('hex');
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new SlipwayError(
              'SLIPWAY_INSTALLATION',
              `Slipway is already running on ${path}. Stop it first: Ctrl-C where scripts/up runs.`,
            )
          : error,
      );
    });
    server.listen(`\0slipway-${name}`, () => resolve(server));
  });
}

function stateDirectory(path: string, remove: () => Promise<void>): StateDirectory {
  return {
    path,
    secretKey: () => readOrCreate(join(path, 'secret.key'), () => randomBytes(32).toString('base64')),
    async lock() {
      const server = await hold(path);
      return () => new Promise((resolve) => server.close(() => resolve()));
    },
    remove,
  };
}

/** Short, and the same for as long as the clone stays where it is. */
export const installationId = (clonePath: string): string =>
  createHash('sha256').update(clonePath).digest('hex').slice(0, 12);

/**
 * Opens `.slipway/` of a clone, made if needed. With a `dataRoot` the data lies there and `.slipway` is a link to it.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when `.slipway` is something else already.
 */
export async function openStateDirectory(
  cloneDirectory: string,
  dataRoot: string | null = isRoot() ? ROOT_DATA_DIRECTORY : null,
): Promise<StateDirectory> {
  const clone = await realpath(cloneDirectory);
  const entry = join(clone, '.slipway');
  if (dataRoot === null) {
    // As where root has run Slipway before: its data is behind a link.
    await makePassable(entry).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EACCES' && cause.code !== 'EPERM') throw cause;
      throw new SlipwayError(
        'SLIPWAY_INSTALLATION',
        `${entry} cannot be used by this user (${cause.code}). Run as the user who made it, or remove it.`,
        { cause },
      );
    });
    const path = await realpath(entry);
    return stateDirectory(path, () => rm(entry, { recursive: true, force: true }));
  }
  const path = join(dataRoot, installationId(clone));
  const kind = await kindOf(entry);
  if (kind === 'other') {
    throw new SlipwayError(
      'SLIPWAY_INSTALLATION',
      `${entry} was made by another user and root keeps its data in ${path}. Run as that user, or move ${entry} away.`,
    );
  }
  await makePassable(dataRoot);
  await makePassable(path);
  // A clone that was moved or copied brings a link to another clone's data.
  if (kind === 'link' && (await readlink(entry)) !== path) await rm(entry);
  await symlink(path, entry).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return stateDirectory(path, async () => {
    await rm(entry, { force: true });
    await rm(path, { recursive: true, force: true });
  });
}

/** For tests: a directory of its own, where PostgreSQL's user and QEMU can read. */
export async function createTemporaryStateDirectory(): Promise<StateDirectory> {
  const parent = isRoot() ? ROOT_DATA_DIRECTORY : tmpdir();
  if (isRoot()) await makePassable(parent);
  const path = await mkdtemp(join(parent, 'test-'));
  await chmod(path, PASSABLE);
  return stateDirectory(path, () => rm(path, { recursive: true, force: true }));
}
