import { log } from '@temporalio/workflow';
import type { Drive } from '../activities/control/virtual-machine/drive.js';
import { type AttachIsoInput, undoToken, type VirtualMachineJobInput } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/** Has the domain of a VM hold `file` in its drive, or nothing. A VM that does not run has no domain. */
export async function changeDisc({ placement }: Drive, file: string | null): Promise<void> {
  if (!placement) return;
  const { hostId, hostName, vmId, poolId, token } = placement;
  const summary = `${file === null ? 'eject the ISO' : 'insert the ISO'} on ${hostName}`;
  await onHost(hostId, summary).changeIso({ vmId, token: undoToken(token), poolId, iso: file });
}

/** After an attach that did not succeed: nothing is in the drive, as before. Call it in a non-cancellable scope. */
export async function ejectAgain({ isoId, ...input }: AttachIsoInput): Promise<void> {
  const drive = await control('what is in the drive?').readDrive(input);
  // Its copy never came to the pool.
  if (drive?.isoId !== isoId) return;
  try {
    await changeDisc(drive, null);
  } catch (error) {
    log.warn('the ISO stays attached: it may be in the drive', { vmId: input.vmId, failure: failureOf(error) });
    return;
  }
  await control('the drive is empty').emptyDrive(input);
}

/** After a detach that did not succeed: the ISO is in the drive, as before. Call it in a non-cancellable scope. */
export async function insertAgain(input: VirtualMachineJobInput): Promise<void> {
  const drive = await control('what is in the drive?').readDrive(input);
  if (!drive?.file) return;
  try {
    await changeDisc(drive, drive.file);
  } catch (error) {
    log.warn('the ISO stays attached, and may not be in the drive', { vmId: input.vmId, failure: failureOf(error) });
  }
}
