import { setCurrentDetails, sleep } from '@temporalio/workflow';
import type { Owner } from '../shared/accounts.js';
import { control } from './activity-proxies.js';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/**
 * Has everything removed that accounts own: jobs of their own destroy VMs and delete templates, and this waits for them. What
 * is under way for a VM is called off. A host that does not answer owes the cleanup, so that this ends.
 */
export async function removeOwned(owner: Owner, jobId: string): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const { virtualMachines, templates } = await control('what is left?').removeSomeOwned({ owner, jobId });
    setCurrentDetails(`${virtualMachines} virtual machines and ${templates} templates are left`);
    if (virtualMachines + templates === 0) return;
    await sleep(waitMs, { summary: 'while jobs remove what is left' });
  }
}
