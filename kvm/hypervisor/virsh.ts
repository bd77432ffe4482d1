import { execFile } from 'node:child_process';
import { SlipwayError } from '../../shared/errors.js';

const DEFAULT_TIMEOUT_MS = 60_000;
/** Domain descriptions of some hundred domains at once. */
const MAX_OUTPUT_BYTES = 64 * 1024 ** 2;

export interface VirshResult {
  isOk: boolean;
  stdout: string;
  /** What libvirt said, line by line, without the `error: ` in front. */
  errors: string[];
}

export interface Virsh {
  /** Runs one command and returns what it printed. @throws SlipwayError SLIPWAY_HYPERVISOR with libvirt's message */
  run(args: readonly string[], options?: { timeoutMs?: number }): Promise<string>;
  /** Runs commands one after the other over one connection, also after one failed. */
  runAll(commands: readonly string[]): Promise<VirshResult>;
}

/** libvirt's own program, since no binding for Node is kept up. Its messages are English whatever the locale. */
export function createVirsh(uri: string): Virsh {
  const execute = (args: readonly string[], timeoutMs: number): Promise<VirshResult> =>
    new Promise((resolve, reject) => {
      execFile(
        'virsh',
        ['--quiet', '--connect', uri, ...args],
        {
          env: { ...process.env, LC_ALL: 'C' },
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: MAX_OUTPUT_BYTES,
        },
        (error, stdout, stderr) => {
          if (error?.killed) {
            reject(new SlipwayError('SLIPWAY_HYPERVISOR', `libvirt did not answer within ${timeoutMs / 1000} s`));
          } else if (typeof error?.code === 'string') {
            reject(new SlipwayError('SLIPWAY_HYPERVISOR', `virsh cannot be run (${error.code})`, { cause: error }));
          } else {
            resolve({ isOk: error === null, stdout, errors: errorLines(stderr) });
          }
        },
      );
    });

  return {
    async run(args, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
      const { isOk, stdout, errors } = await execute(args, timeoutMs);
      if (isOk) return stdout;
      throw new SlipwayError('SLIPWAY_HYPERVISOR', hypervisorMessage(errors));
    },
    runAll: (commands) => execute([commands.join('; ')], DEFAULT_TIMEOUT_MS),
  };
}

const errorLines = (stderr: string): string[] =>
  stderr
    .split('\n')
    .map((line) => line.replace(/^error: /, '').trim())
    .filter((line) => line !== '');

/** The first line says what was tried, the second why it failed. */
export const hypervisorMessage = (errors: readonly string[]): string =>
  errors.slice(0, 2).join(': ') || 'libvirt failed without a message';
