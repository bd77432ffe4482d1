import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Starts libvirt's daemons unless they run. */
export async function ensureLibvirtd(): Promise<void> {
  await promisify(execFile)(join(import.meta.dirname, '../../scripts/start-libvirtd'));
}
