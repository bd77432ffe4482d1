import type { DownloadProgress } from '../../shared/images.js';
import { progressLine, progressLines } from './render-progress.js';

/** What a command tells while it works. */
export interface ProgressDisplay {
  progress(progress: DownloadProgress): void;
  /** Something that stays to be read. */
  note(text: string): void;
  /** Nothing more comes. */
  end(): void;
}

export interface DisplayTarget {
  write: (text: string) => void;
  nowMs: () => number;
}

const IN_PLACE_EVERY_MS = 200;
const LINE_EVERY_MS = 5_000;
const JSON_EVERY_MS = 1_000;

/** Runs `act` not more often than every `everyMs`; the first time `firstMs` from now. */
function throttle(everyMs: number, nowMs: () => number, firstMs = 0): (act: () => void) => void {
  let nextMs = nowMs() + firstMs;
  return (act) => {
    const now = nowMs();
    if (now < nextMs) return;
    nextMs = now + everyMs;
    act();
  };
}

/** A few lines that are drawn over again, on a terminal. */
export function terminalDisplay({ write, nowMs }: DisplayTarget, columns: () => number): ProgressDisplay {
  const rarely = throttle(IN_PLACE_EVERY_MS, nowMs);
  let drawn = 0;
  // Up over what was drawn, and clear from there to the end of the screen.
  const erase = (): string => (drawn === 0 ? '' : `\x1b[${drawn}A\r\x1b[J`);
  const clear = (): void => {
    if (drawn > 0) write(erase());
    drawn = 0;
  };
  return {
    progress: (progress) =>
      rarely(() => {
        const lines = progressLines(progress, columns());
        // One write: else the empty moment in between would be seen as flicker.
        write(`${erase()}${lines.map((line) => `${line}\n`).join('')}`);
        drawn = lines.length;
      }),
    note(text) {
      clear();
      write(`${text}\n`);
    },
    end: clear,
  };
}

/** A line now and then, for logs: none for what is done at once. */
export function plainDisplay({ write, nowMs }: DisplayTarget): ProgressDisplay {
  const rarely = throttle(LINE_EVERY_MS, nowMs, LINE_EVERY_MS);
  return {
    progress: (progress) => rarely(() => write(`${progressLine(progress)}\n`)),
    note: (text) => write(`${text}\n`),
    end: () => undefined,
  };
}

/** One JSON object a line, for programs. */
export function jsonDisplay({ write, nowMs }: DisplayTarget): ProgressDisplay {
  const rarely = throttle(JSON_EVERY_MS, nowMs);
  const event = (name: string, fields: object): void => write(`${JSON.stringify({ event: name, ...fields })}\n`);
  return {
    progress: (progress) => rarely(() => event('progress', progress)),
    note: (message) => event('note', { message }),
    end: () => undefined,
  };
}
