import type { DownloadProgress } from '../../shared/images.js';
import { showBytes, showDuration, showRate } from './quantities.js';

const BAR_WIDTH = 24;
const MAX_MIRRORS = 4;

/** One line about a download, for logs. */
export function progressLine(progress: DownloadProgress): string {
  const { bytes, totalBytes, unpackedBytes } = progress;
  return [
    ...(totalBytes === undefined ? [] : [percent(bytes, totalBytes)]),
    ...facts(progress),
    ...(unpackedBytes === undefined ? [] : [`unpacked ${showBytes(unpackedBytes)}`]),
  ].join(', ');
}

/** A download on a terminal of so many columns: a bar, and below it the mirrors at work and what comes out. */
export function progressLines(progress: DownloadProgress, columns: number): string[] {
  const { bytes, totalBytes, mirrors, unpackedBytes } = progress;
  const bar = totalBytes === undefined ? '' : `${percent(bytes, totalBytes).padStart(5)} ${barOf(bytes, totalBytes)} `;
  const shown = mirrors.slice(0, MAX_MIRRORS);
  const hidden = mirrors.length - shown.length;
  const row = (first: string, brought: number, what: string): string =>
    `${first.padStart(14)} ${showBytes(brought).padStart(9)}  ${what}`;
  return [
    `${bar}${facts(progress).join(', ')}`,
    ...shown.map((mirror) => row(showRate(mirror.bytesPerSecond), mirror.bytes, mirror.url)),
    ...(hidden > 0 ? [`${' '.repeat(26)}and ${hidden} more`] : []),
    ...(unpackedBytes === undefined ? [] : [row('', unpackedBytes, 'unpacked')]),
    // A line that wraps would be two for the terminal and one for whoever goes back over it.
  ].map((line) => (line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 4))}...`));
}

function facts({ bytes, totalBytes, bytesPerSecond, remainingMs, hashedBytes }: DownloadProgress): string[] {
  if (totalBytes === undefined) return [showBytes(bytes), showRate(bytesPerSecond)];
  const size = `${showBytes(bytes)} of ${showBytes(totalBytes)}`;
  if (bytes >= totalBytes) return [size, hashedBytes < bytes ? `hashed ${percent(hashedBytes, bytes)}` : 'hashed'];
  return [size, showRate(bytesPerSecond), ...(remainingMs === undefined ? [] : [`${showDuration(remainingMs)} left`])];
}

/** Rounded down: 100 % is the whole. */
const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 100 : Math.min(100, Math.floor((part * 100) / whole))} %`;

function barOf(part: number, whole: number): string {
  const filled = whole === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.floor((part * BAR_WIDTH) / whole));
  const head = filled > 0 && filled < BAR_WIDTH ? `${'='.repeat(filled - 1)}>` : '='.repeat(filled);
  return `[${head.padEnd(BAR_WIDTH)}]`;
}
