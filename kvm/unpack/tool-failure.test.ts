import type { ToolOutcome } from './start-tools.js';
import { toolFailure } from './tool-failure.js';

const ended = (changes: Partial<ToolOutcome>): ToolOutcome => ({
  program: 'xz',
  code: 1,
  signal: undefined,
  text: '',
  ...changes,
});

it('should be no failure when the program ended well', () => {
  expect(toolFailure(ended({ code: 0, text: '<stdin> to <stdout> \n' }), 1)).toBeUndefined();
});

it.each<[string, Partial<ToolOutcome>, string]>([
  ['what is wrong with the file', { text: 'xz: (stdin): Unexpected end of input\n' }, 'SLIPWAY_UNPACK_CORRUPT'],
  ['a crash', { code: 139, signal: 'SIGSEGV' }, 'SLIPWAY_UNPACK_CORRUPT'],
  ['the limit of processor time', { code: 152, signal: 'SIGXCPU' }, 'SLIPWAY_UNPACK_CORRUPT'],
  ['the limit of memory', { text: 'xz: (stdin): Cannot allocate memory' }, 'SLIPWAY_UNPACK_CORRUPT'],
  ['the limit of file size', { code: 153, signal: 'SIGXFSZ' }, 'SLIPWAY_UNPACK_TOO_LARGE'],
  ['the kernel', { code: 137, signal: 'SIGKILL' }, 'SLIPWAY_UNPACK_TOOL'],
  ['a missing program', { code: 127, text: 'setpriv: failed to execute xz' }, 'SLIPWAY_UNPACK_TOOL'],
  ['a guard that fails', { text: "bwrap: Can't mount proc" }, 'SLIPWAY_UNPACK_TOOL'],
  [
    'a full disk',
    { program: 'dd', text: "dd: error writing 'standard output': No space left on device" },
    'SLIPWAY_POOL_FULL',
  ],
  ['a full quota', { text: 'zstd: error 70 : Write error : Disk quota exceeded' }, 'SLIPWAY_POOL_FULL'],
  [
    'a broken disk',
    { program: 'dd', text: "dd: error writing 'standard output': Input/output error" },
    'SLIPWAY_POOL_IO',
  ],
])('should tell %s from other ends', (_name, changes, code) => {
  expect(toolFailure(ended(changes), 1)?.code).toBe(code);
});

it.each([
  ['xz: (stdin): Compressed data is corrupt\n', 'Compressed data is corrupt'],
  ['<stdin> to <stdout> pigz: skipping: <stdin>: corrupted -- crc32 mismatch\n', 'corrupted -- crc32 mismatch'],
  ['<stdin> to <stdout> pigz: warning: <stdin>: trailing junk was ignored\n\n', 'trailing junk was ignored'],
  ['\ngzip: stdin: unexpected end of file\n', 'unexpected end of file'],
  ['/*stdin*\\ : Read error (39) : premature end \n', 'Read error (39) : premature end'],
  ['lbzip2: stdin: compressed data error: block CRC mismatch\n', 'compressed data error: block CRC mismatch'],
  ['xz: \x1b[31mred\u202e\n', '[31mred'],
  ['', 'xz ended with exit code 1'],
])('should hand on the first line of %j', (text, line) => {
  expect(toolFailure(ended({ text }), 1)?.message).toBe(`The file cannot be unpacked: ${line}`);
});
