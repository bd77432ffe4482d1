import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SlipwayError } from '../shared/errors.js';

const WAIT_MS = 20_000;

/** Every PostgreSQL process works in its data directory, so this finds the backends of a killed server too. */
async function processesIn(directory: string): Promise<number[]> {
  const entries = await readdir('/proc');
  const pids = await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (pid) => {
        const cwd = await readlink(join('/proc', pid, 'cwd')).catch(() => undefined);
        return cwd === directory ? Number(pid) : undefined;
      }),
  );
  return pids.filter((pid) => pid !== undefined);
}

const readPid = async (path: string): Promise<number | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) ? pid : undefined;
};

/**
 * Clears what a killed PostgreSQL, or a killed owner of one, left on a data directory: shuts down a server that still
 * runs there, waits for backends that are on their way out, and only then removes the pid file. Removing it earlier
 * could let two servers write one data directory; leaving it stops the start when its pid has been given to another
 * program, as after a reboot.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when processes stay.
 */
export async function endLeftovers(dataDirectory: string, pidFile: string, waitMs: number = WAIT_MS): Promise<void> {
  const deadline = performance.now() + waitMs;
  const server = await readPid(pidFile);
  let pids = await processesIn(dataDirectory);
  if (server !== undefined && pids.includes(server)) process.kill(server, 'SIGINT');
  while (pids.length > 0) {
    if (performance.now() > deadline) {
      throw new SlipwayError(
        'SLIPWAY_INSTALLATION',
        `Processes of an earlier PostgreSQL still use ${dataDirectory}: ${pids.join(', ')}. End them, then start again.`,
      );
    }
    await delay(50);
    pids = await processesIn(dataDirectory);
  }
  await rm(pidFile, { force: true });
}
