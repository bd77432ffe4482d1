import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Virsh } from './virsh.js';

// QEMU may take long to start on a busy machine; libvirt itself gives up after 30 s and more.
const CREATE_TIMEOUT_MS = 180_000;

/** Starts a transient domain. @throws SlipwayError SLIPWAY_HYPERVISOR */
export async function createDomain(virsh: Virsh, xml: string, flags: readonly string[] = []): Promise<void> {
  // virsh reads files only: /dev/stdin is a socket here, which cannot be opened.
  const directory = await mkdtemp(join(tmpdir(), 'slipway-domain-'));
  try {
    const path = join(directory, 'domain.xml');
    await writeFile(path, xml, { mode: 0o600 });
    await virsh.run(['create', path, ...flags], { timeoutMs: CREATE_TIMEOUT_MS });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
