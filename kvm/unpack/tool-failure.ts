import { type ErrorCode, SlipwayError } from '../../shared/errors.js';
import { MAX_DICTIONARY_MIB } from './decompressors.js';
import type { ToolOutcome } from './start-tools.js';
import { tooLarge } from './unpack-limits.js';

/** Of the guard: the program could not be run. */
const CANNOT_RUN = new Set([126, 127]);
const GUARDS = /^(prlimit|bwrap|setpriv): /;

const NO_SPACE = /no space left on device|disk quota exceeded/i;
const CANNOT_WRITE = /write error|error writing|cannot write/i;
const NO_MEMORY = /too much memory|memory usage limit|cannot allocate memory|not enough memory|out of memory/i;

const MAX_LINE_LENGTH = 200;

/** Why unpacking failed, by how one of its programs ended; undefined for a program that ended well. */
export function toolFailure(outcome: ToolOutcome, maxOutputBytes: number): SlipwayError | undefined {
  const { program, code, signal, text } = outcome;
  if (code === 0) return undefined;
  const line = firstLine(text);
  const because = (error: ErrorCode, reason: string): SlipwayError => new SlipwayError(error, reason);
  // To a limit on the length of a file.
  if (signal === 'SIGXFSZ') return tooLarge(maxOutputBytes);
  // Nothing in a file makes a program be killed so: the machine is short of memory.
  if (signal === 'SIGKILL') return because('SLIPWAY_UNPACK_TOOL', `${program} was killed on this host`);
  if (code !== null && CANNOT_RUN.has(code)) return because('SLIPWAY_UNPACK_TOOL', `${program} cannot be run: ${line}`);
  if (GUARDS.test(text)) return because('SLIPWAY_UNPACK_TOOL', `${program} cannot be confined: ${line}`);
  if (NO_SPACE.test(text)) return because('SLIPWAY_POOL_FULL', 'The primary storage pool has no space left');
  if (CANNOT_WRITE.test(text)) return because('SLIPWAY_POOL_IO', `The unpacked file cannot be written: ${line}`);
  if (NO_MEMORY.test(text)) {
    return because(
      'SLIPWAY_UNPACK_CORRUPT',
      `The file asks for more memory to unpack it than it may have: windows and dictionaries of up to ${MAX_DICTIONARY_MIB} MiB`,
    );
  }
  const reason =
    line || (signal === undefined ? `${program} ended with exit code ${code}` : `${program} got ${signal}`);
  return because('SLIPWAY_UNPACK_CORRUPT', `The file cannot be unpacked: ${reason}`);
}

/** Without the name of the program, of its input, and what must not reach a terminal. */
function firstLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^<stdin> to <stdout> /, '').replace(/[^\x20-\x7e]/g, ''))
    .map((line) => line.replace(/^[\w./-]+: (skipping: |warning: )?/, ''))
    .map((line) => line.replace(/^(<stdin>|\(stdin\)|stdin|\/\*stdin\*\\) ?: ?/, ''));
  return (lines.find((line) => line.trim() !== '') ?? '').trim().slice(0, MAX_LINE_LENGTH);
}
