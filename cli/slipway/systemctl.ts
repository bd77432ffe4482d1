import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { SlipwayError } from '../../shared/errors.js';

const TIMEOUT_MS = 60_000;

/** systemd's own sign that it runs this machine (sd_booted(3)). */
export const isSystemdRunning = (): boolean => existsSync('/run/systemd/system');

/** @throws SlipwayError SLIPWAY_INSTALLATION with what systemctl said */
export async function systemctl(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('systemctl', [...args], {
      timeout: TIMEOUT_MS,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return stdout.trim();
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const reason = stderr?.trim() || message;
    throw new SlipwayError('SLIPWAY_INSTALLATION', `systemctl ${args.join(' ')}: ${reason}`, { cause: error });
  }
}
