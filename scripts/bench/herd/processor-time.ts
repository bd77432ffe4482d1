import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  parent: number;
  ms: number;
}

/** `/proc/<pid>/stat` of proc(5): processor time of the process and of its children that have ended. */
export function readProcessTimes(stat: string): ProcessTimes {
  // The name of the program, in parentheses, may hold anything.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent = 0] = fields;
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { parent, ms: (ticks * 1000) / TICKS_PER_SECOND };
}

/** Milliseconds of processor time of each process with all that it has started. */
export function processorMs<Name extends string>(pids: Record<Name, number>): Record<Name, number> {
  const all = new Map<number, ProcessTimes>();
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    try {
      all.set(pid, readProcessTimes(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    } catch {
      // It has ended since the list was read.
    }
  }
  const withDescendants = (root: number): number =>
    [...all]
      .filter(([, { parent }]) => parent === root)
      .reduce((sum, [pid]) => sum + withDescendants(pid), all.get(root)?.ms ?? 0);
  return Object.fromEntries(Object.entries<number>(pids).map(([name, pid]) => [name, withDescendants(pid)])) as Record<
    Name,
    number
  >;
}

/** Milliseconds of processor time that `act` took of each process, divided by `operations`. */
export async function withProcessorMs<Name extends string, Result>(
  pids: Record<Name, number>,
  operations: number,
  act: () => Promise<Result>,
): Promise<{ result: Result; msPerOperation: Record<Name, number> }> {
  const before = processorMs(pids);
  const result = await act();
  const after = processorMs(pids);
  const used = (Object.keys(pids) as Name[]).map((name) => [name, (after[name] - before[name]) / operations]);
  return { result, msPerOperation: Object.fromEntries(used) as Record<Name, number> };
}
