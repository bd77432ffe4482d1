import { constants } from 'node:os';

const SIGNALS = Object.entries(constants.signals) as [NodeJS.Signals, number][];

/**
 * The signal that ended a confined program, from what the child's `close` event said: its guard hands a signal on as an
 * exit code of 128 + signal, and is itself ended by one only when we, or the kernel, ended it.
 *
 * @returns undefined for a program that ended by itself
 */
export function endedBy(code: number | null, signal: NodeJS.Signals | null): NodeJS.Signals | undefined {
  if (signal !== null) return signal;
  return SIGNALS.find(([, number]) => code === 128 + number)?.[0];
}
