import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../storage/pool-error.js';
import { assertUuid, isUuid } from '../uuid.js';

/** Name of the file that a VM's serial console is logged to; virtlogd keeps older parts beside it, as `.0`, `.1`, … */
export const consoleFileName = (vmId: string): string => `${vmId}.log`;

/** VMs whose serial consoles were logged to a directory. */
export async function listConsoles(directory: string): Promise<string[]> {
  const names = (await unlessMissing(readdir(directory))) ?? [];
  const ids = names.filter((name) => name.includes('.log')).map((name) => name.slice(0, name.indexOf('.log')));
  return [...new Set(ids.filter(isUuid))];
}

/** Removes what a VM wrote to its serial console: up to 8 MiB, which would stay for each VM that ever was. */
export async function removeConsole(directory: string, vmId: string): Promise<void> {
  assertUuid(vmId, 'VM id');
  const names = (await unlessMissing(readdir(directory))) ?? [];
  const mine = names.filter((name) => name.startsWith(consoleFileName(vmId)));
  await Promise.all(mine.map((name) => rm(join(directory, name), { force: true })));
}
