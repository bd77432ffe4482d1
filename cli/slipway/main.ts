#!/usr/bin/env node
import path from 'node:path';
import { ERRORS, type ErrorCode, isSlipwayError } from '../../shared/errors.js';
import { parseArguments } from './arguments.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import { runCommand } from './run-command.js';
import { USAGE } from './usage.js';

/** Of the compiled programs, of which this is one. */
const PROGRAMS = path.join(import.meta.dirname, '..', '..');

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  try {
    const command = parseArguments(args);
    if (command === 'help') {
      process.stdout.write(USAGE);
      return EXIT.ok;
    }
    const { text, ...result } = await runCommand(command, PROGRAMS);
    process.stdout.write(isJson ? `${JSON.stringify({ isOk: true, ...result })}\n` : text);
    return result.isOk === false ? EXIT.host : EXIT.ok;
  } catch (error) {
    const { code, message } = failureOf(error);
    const remedy = code === 'SLIPWAY_PARAMETER_INVALID' ? 'slipway --help has the commands.' : ERRORS[code].remedy;
    if (isJson) process.stdout.write(`${JSON.stringify({ isOk: false, code, message, remedy })}\n`);
    else process.stderr.write(`slipway: ${message}\n  ${remedy}\n`);
    return exitCodeOf(code);
  }
}

const failureOf = (error: unknown): { code: ErrorCode; message: string } =>
  isSlipwayError(error) ? error : { code: 'SLIPWAY_INTERNAL', message: String((error as Error).message ?? error) };

// Nothing that is left over, as a connection that closes slowly, may keep the process.
process.exit(await main(process.argv.slice(2)));
