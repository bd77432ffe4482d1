#!/usr/bin/env node
import { performance } from 'node:perf_hooks';
import { type Command, parseArguments } from './arguments.js';
import { EXIT } from './exit-code.js';
import { jsonDisplay, plainDisplay, type ProgressDisplay, terminalDisplay } from './progress-display.js';
import { renderFailure, renderResult } from './render-result.js';
import { runCommand } from './run-command.js';
import { toFailure } from './to-failure.js';
import { USAGE } from './usage.js';

/** A cancelled download syncs what it has. A disk that takes longer must not hold up whoever pressed Ctrl-C. */
const CANCEL_LIMIT_MS = 900;
const USUAL_COLUMNS = 80;

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  const display = createDisplay(isJson);
  const cancelling = new AbortController();
  const fail = (thrown: unknown): number => {
    display.end();
    const failure = toFailure(thrown, cancelling.signal.aborted);
    if (isJson) process.stdout.write(`${JSON.stringify(failure)}\n`);
    else process.stderr.write(renderFailure(failure));
    return failure.exitCode;
  };
  // Of Node's own form, a warning would end up in the middle of the progress.
  process.removeAllListeners('warning').on('warning', ({ message }) => display.note(message));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (cancelling.signal.aborted) process.exit(EXIT.cancelled);
      cancelling.abort();
      setTimeout(() => process.exit(fail(undefined)), CANCEL_LIMIT_MS);
    });
  }
  try {
    const command: Command = parseArguments(args);
    if (command.command === 'help') {
      process.stdout.write(USAGE);
      return EXIT.ok;
    }
    const result = await runCommand(command, display, cancelling.signal);
    display.end();
    process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : renderResult(result));
    return EXIT.ok;
  } catch (error) {
    return fail(error);
  }
}

function createDisplay(isJson: boolean): ProgressDisplay {
  const target = {
    write: (text: string): void => void process.stderr.write(text),
    nowMs: () => performance.now(),
  };
  if (isJson) return jsonDisplay(target);
  const isTerminal = process.stderr.isTTY && process.env['TERM'] !== 'dumb';
  return isTerminal ? terminalDisplay(target, () => process.stderr.columns || USUAL_COLUMNS) : plainDisplay(target);
}

// Whoever reads our output may go away, as `head` does.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// Nothing that is left over, as a connection that closes slowly, may keep the process.
process.exit(await main(process.argv.slice(2)));
