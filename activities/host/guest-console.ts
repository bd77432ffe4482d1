import { sealJson } from '../../kvm/keystore/sealed-json.js';
import type { ConsoleText } from '../../shared/virtual-machines.js';
import type { HostDependencies } from './dependencies.js';

export interface ReadConsoleInput {
  vmId: string;
  /** At most; 512 KiB are the most there is. */
  lengthBytes: number;
  /** Public key of who asks: what guests write is in no history. */
  replyKey: string;
}

/** The end of what a VM wrote to its serial console on this host; empty for one that has written nothing here. */
export const readConsole =
  ({ libvirt }: Pick<HostDependencies, 'libvirt'>) =>
  async ({ vmId, lengthBytes, replyKey }: ReadConsoleInput): Promise<{ sealed: string }> => {
    const bytes = await libvirt.readConsole(vmId, lengthBytes);
    const text: ConsoleText = { base64: bytes.toString('base64') };
    return { sealed: await sealJson(text, replyKey) };
  };

/** TCP port of a VM's display on the host's loopback; null when the VM does not run here. */
export const vncDisplay =
  ({ libvirt }: Pick<HostDependencies, 'libvirt'>) =>
  async ({ vmId }: { vmId: string }): Promise<{ port: number | null }> => ({ port: await libvirt.vncPort(vmId) });
