import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { SlipwayError } from '../../shared/errors.js';
import { awaitReboot } from './await-reboot.js';
import { isAlive, type OwnDomains } from './own-domains.js';
import type { Virsh } from './virsh.js';

/** Of looks at a guest that powers off. */
const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 2_000;
/** Each look is a process, and a host that is drained has many guests to look at. */
const POLL_SHARE_OF_WAIT = 0.25;

export interface GuestPatience {
  /** Without asking the guest. */
  isForced: boolean;
  timeoutMs: number;
  /** Ends the wait; the guest is then not forced. */
  signal?: AbortSignal | undefined;
}

interface Hypervisor {
  uri: string;
  virsh: Virsh;
  domains: Pick<OwnDomains, 'find'>;
}

/**
 * Asks the guest to power off, and waits until it has.
 *
 * @returns whether its domain is gone; there may have been none. False when the guest has not listened, or `isForced`
 */
export async function powerOff(
  { virsh, domains }: Hypervisor,
  vmId: string,
  { isForced, timeoutMs, signal }: GuestPatience,
): Promise<boolean> {
  const isGone = async (): Promise<boolean> => ((await domains.find(vmId))?.state ?? 'Stopped') === 'Stopped';
  if (await isGone()) return true;
  if (isForced) return false;
  // A guest that cannot be asked (paused, still booting) is ended when the time is over.
  await virsh.run(['shutdown', vmId]).catch(() => undefined);
  // The clock of the host may be set back by hours.
  const begunMs = performance.now();
  for (;;) {
    // Before the time is looked at: a guest that powers off during the last pause was not forced.
    if (await isGone()) return true;
    const waitedMs = performance.now() - begunMs;
    if (waitedMs >= timeoutMs) return false;
    const pollMs = Math.min(Math.max(FIRST_POLL_MS, waitedMs * POLL_SHARE_OF_WAIT), LONGEST_POLL_MS);
    await sleep(Math.min(pollMs, timeoutMs - waitedMs), undefined, { signal });
  }
}

/**
 * Asks the guest to reboot; when it has not after `timeoutMs`, or `isForced`, the VM is reset.
 *
 * @returns whether force was needed
 * @throws SlipwayError SLIPWAY_HYPERVISOR also when the VM does not run here
 */
export async function reboot(
  { uri, virsh, domains }: Hypervisor,
  vmId: string,
  { isForced, timeoutMs, signal }: GuestPatience,
): Promise<{ wasForced: boolean }> {
  if (!isAlive(await domains.find(vmId))) {
    throw new SlipwayError('SLIPWAY_HYPERVISOR', `VM ${vmId} does not run on this host`);
  }
  if (!isForced) {
    // A guest that cannot be asked (paused, still booting) is reset when the time is over.
    const ask = (): Promise<unknown> => virsh.run(['reboot', vmId]).catch(() => undefined);
    if (await awaitReboot({ uri, uuid: vmId, timeoutMs, signal }, ask)) return { wasForced: false };
  }
  await virsh.run(['reset', vmId]);
  return { wasForced: true };
}
