import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { Virsh } from './virsh.js';

// QEMU may take long to start on a busy machine; libvirt itself gives up after 30 s and more.
const CREATE_TIMEOUT_MS = 180_000;

/** Each takes another port; one that loses so often has other trouble. */
const MAX_PORTS_TRIED = 5;
/** QEMU says so of a display whose port libvirt found free a moment before. */
const PORT_IS_TAKEN = /Failed to find an available port|Failed to bind socket/;

/** Starts a transient domain. @throws SlipwayError SLIPWAY_HYPERVISOR */
export const createDomain = (virsh: Virsh, xml: string, flags: readonly string[] = []): Promise<void> =>
  withXmlFile(xml, async (path) => {
    for (let tried = 1; ; tried += 1) {
      try {
        await virsh.run(['create', path, ...flags], { timeoutMs: CREATE_TIMEOUT_MS });
        return;
      } catch (error) {
        // Between libvirt's look and QEMU's own, another libvirt of the machine, or any program, may have it.
        const isTaken = error instanceof SlipwayError && PORT_IS_TAKEN.test(error.message);
        if (!isTaken || tried === MAX_PORTS_TRIED) throw error;
      }
    }
  });

/** Hands a file with the XML, which its owner alone can read, to `use`. */
export async function withXmlFile<T>(xml: string, use: (path: string) => Promise<T>): Promise<T> {
  // virsh reads files only: /dev/stdin is a socket here, which cannot be opened.
  const directory = await mkdtemp(join(tmpdir(), 'slipway-domain-'));
  try {
    const path = join(directory, 'domain.xml');
    await writeFile(path, xml, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
