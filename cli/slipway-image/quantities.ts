import { usageError } from './usage-error.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** For people: three digits, `1.25 GiB`. */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export const showRate = (bytesPerSecond: number): string => `${showBytes(bytesPerSecond)}/s`;

export function showDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`;
}

const FACTORS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** `50M` is 50 MiB a second. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text);
  const bytesPerSecond = match ? Math.floor(Number(match[1]) * FACTORS[match[2]!.toUpperCase()]!) : 0;
  if (bytesPerSecond >= 1 && Number.isSafeInteger(bytesPerSecond)) return bytesPerSecond;
  throw usageError(`--limit-rate has to be bytes a second, as 800K, 50M or 1.5G, not ${text}`);
}
