import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SlipwayError } from '../shared/errors.js';

const run = promisify(execFile);

export interface SystemUser {
  uid: number;
  gid: number;
}

async function lookUp(name: string): Promise<SystemUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/**
 * The user that PostgreSQL runs as when Slipway runs as root, since PostgreSQL refuses to run as root. Made if missing:
 * no login, no home.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when it is missing and cannot be made.
 */
export async function requireSystemUser(name: string): Promise<SystemUser> {
  const known = await lookUp(name);
  if (known) return known;
  const problem = await run('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    name,
  ]).then(
    () => undefined,
    (error: unknown) => error,
  );
  // Another starter may have made it in the meantime; then useradd fails and all is well.
  const made = await lookUp(name);
  if (made) return made;
  throw new SlipwayError('SLIPWAY_INSTALLATION', `The system user ${name} cannot be made: ${String(problem)}`, {
    cause: problem,
  });
}
