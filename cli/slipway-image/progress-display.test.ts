import type { DownloadProgress } from '../../shared/images.js';
import { jsonDisplay, plainDisplay, terminalDisplay } from './progress-display.js';
import { progressLine, progressLines } from './render-progress.js';

const MIB = 1024 ** 2;
const progress: DownloadProgress = {
  bytes: 263 * MIB,
  totalBytes: 621 * MIB,
  bytesPerSecond: 58 * MIB,
  remainingMs: 6_172,
  mirrors: [
    { url: 'https://a.example/disk', bytes: 200 * MIB, bytesPerSecond: 40 * MIB },
    { url: 'https://b.example/disk', bytes: 63 * MIB, bytesPerSecond: 18 * MIB },
  ],
  hashedBytes: 260 * MIB,
  writtenBytes: 263 * MIB,
};

describe('the progress of a download', () => {
  it('is a bar, with the mirrors at work', () => {
    expect(progressLines(progress, 80)).toEqual([
      ' 42 % [=========>              ] 263 MiB of 621 MiB, 58.0 MiB/s, 6 s left',
      '    40.0 MiB/s   200 MiB  https://a.example/disk',
      '    18.0 MiB/s  63.0 MiB  https://b.example/disk',
    ]);
  });

  it('never wraps', () => {
    for (const columns of [10, 40, 60]) {
      for (const line of progressLines(progress, columns)) expect(line.length).toBeLessThan(columns);
    }
  });

  it('shows what comes out on a line of its own', () => {
    expect(progressLines({ ...progress, unpackedBytes: 1024 * MIB }, 80).at(-1)).toBe(
      '                1.00 GiB  unpacked',
    );
  });

  it('names four mirrors and counts the rest', () => {
    const mirrors = Array.from({ length: 6 }, () => progress.mirrors[0]!);
    const lines = progressLines({ ...progress, mirrors }, 80);
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)?.trim()).toBe('and 2 more');
  });

  it.each<[string, Partial<DownloadProgress>, string]>([
    ['without a total', { totalBytes: undefined, remainingMs: undefined }, '263 MiB, 58.0 MiB/s'],
    ['of nothing yet', { bytes: 0, remainingMs: undefined, bytesPerSecond: 0 }, '0 %, 0 B of 621 MiB, 0 B/s'],
    [
      'that is unpacked',
      { unpackedBytes: 1024 * MIB },
      '42 %, 263 MiB of 621 MiB, 58.0 MiB/s, 6 s left, unpacked 1.00 GiB',
    ],
    ['that is here and not yet hashed', { bytes: 621 * MIB }, '100 %, 621 MiB of 621 MiB, hashed 41 %'],
    ['that is whole', { bytes: 621 * MIB, hashedBytes: 621 * MIB }, '100 %, 621 MiB of 621 MiB, hashed'],
  ])('%s is one line', (_, changes, line) => {
    expect(progressLine({ ...progress, ...changes })).toBe(line);
  });

  it.each([
    [0, 0, '100 % [========================]'],
    [0, 1000, '  0 % [                        ]'],
    [999, 1000, ' 99 % [======================> ]'],
    [1000, 1000, '100 % [========================]'],
    [1001, 1000, '100 % [========================]'],
  ])('of %d of %d bytes has a bar', (bytes, totalBytes, bar) => {
    expect(progressLines({ ...progress, bytes, totalBytes, mirrors: [] }, 200)[0]).toContain(bar);
  });
});

describe('a display', () => {
  let written: string;
  let now: number;
  const target = {
    write: (text: string) => void (written += text),
    nowMs: () => now,
  };
  beforeEach(() => {
    written = '';
    now = 0;
  });

  it('on a terminal draws over what it drew, and leaves only notes', () => {
    const display = terminalDisplay(target, () => 80);
    display.progress(progress);
    display.progress(progress);
    const once = written;
    expect(once.split('\n')).toHaveLength(4);
    now = 200;
    display.progress(progress);
    expect(written).toBe(`${once}\x1b[3A\r\x1b[J${once}`);
    written = '';
    display.note('a note');
    display.note('another');
    expect(written).toBe('\x1b[3A\r\x1b[Ja note\nanother\n');
    now = 400;
    display.progress(progress);
    written = '';
    display.end();
    expect(written).toBe('\x1b[3A\r\x1b[J');
  });

  it('in a log writes a line every five seconds', () => {
    const display = plainDisplay(target);
    for (now = 0; now <= 10_000; now += 100) display.progress(progress);
    display.note('a note');
    expect(written).toBe(`${`${progressLine(progress)}\n`.repeat(2)}a note\n`);
  });

  it('for programs writes a JSON object a line, every second', () => {
    const display = jsonDisplay(target);
    for (now = 0; now < 2_000; now += 100) display.progress(progress);
    display.note('a "note"');
    const lines = written.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: 'progress', ...progress },
      { event: 'progress', ...progress },
      { event: 'note', message: 'a "note"' },
    ]);
  });
});
