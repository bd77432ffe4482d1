import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'slipway', 'main.js');

export interface Outcome {
  exitCode: number;
  output: string;
}

/** Runs a program to its end. It fails as `execFile` of Node does. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  env: Record<string, string>,
) => Promise<{ stdout: string; stderr: string }>;

const runHere: RunProgram = (program, args, env) =>
  promisify(execFile)(program, [...args], { env: { PATH: process.env['PATH'], ...env } });

/** The command `slipway` on a machine that has the keys of the admin in a file, and nothing of an installation else. */
export class SlipwayCommand {
  readonly #directory: string;
  readonly #runProgram: RunProgram;

  /** @param directory where its credentials are, and its tokens will be */
  constructor(directory: string, runProgram = runHere) {
    this.#directory = directory;
    this.#runProgram = runProgram;
  }

  async run(...args: string[]): Promise<Outcome> {
    const env = { SLIPWAY_CREDENTIALS: path.join(this.#directory, 'credentials.json') };
    try {
      const { stdout, stderr } = await this.#runProgram(process.execPath, [PROGRAM, ...args], env);
      return { exitCode: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { exitCode: code, output: stdout + stderr };
    }
  }

  async done(...args: string[]): Promise<string> {
    const { exitCode, output } = await this.run(...args);
    if (exitCode !== 0) throw new Error(`slipway ${args.join(' ')} ended with ${exitCode}: ${output}`);
    return output;
  }

  /** @returns how a new token is given as an argument */
  async token(...args: string[]): Promise<string> {
    const file = path.join(this.#directory, 'token');
    await writeFile(file, await this.done('host', 'token', ...args), { mode: 0o600 });
    return `@${file}`;
  }
}
