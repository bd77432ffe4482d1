import { existsSync } from 'node:fs';

/** @param path where `scripts/setup --for-tests` installs the program */
export const programObstacle = (path: string): string | undefined => (existsSync(path) ? undefined : `needs ${path}`);

/** @param purpose for which a test needs root, as `to become another user` */
export const rootObstacle = (purpose: string): string | undefined =>
  process.geteuid?.() === 0 ? undefined : `needs root, ${purpose}`;
