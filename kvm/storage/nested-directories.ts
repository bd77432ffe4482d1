import { sep } from 'node:path';

/**
 * Two directories of which one is in the other, or is the other; by their real absolute paths.
 *
 * @returns their indices, the outer one first
 */
export function findNested(paths: readonly string[]): { outer: number; inner: number } | undefined {
  for (const [outer, around] of paths.entries()) {
    const prefix = around.endsWith(sep) ? around : `${around}${sep}`;
    const inner = paths.findIndex((path, index) => index !== outer && `${path}${sep}`.startsWith(prefix));
    if (inner !== -1) return { outer, inner };
  }
  return undefined;
}
