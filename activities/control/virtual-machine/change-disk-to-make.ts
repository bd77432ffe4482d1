import { eq } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { requireRoom } from '../../../db/require-room.js';
import { vmInstance, vmTemplate, volumes } from '../../../db/schema/index.js';
import { readSettings } from '../../../db/settings.js';
import { SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';
import type { RestoreVirtualMachineInput } from '../../../shared/virtual-machines.js';
import type { Transaction } from '../dependencies.js';
import { SUCCEEDED } from '../job-outcomes.js';
import { requireDrive, sizeOfRestored } from './restored-disk.js';
import { recordVmEvent } from './vm-operation.js';
import { templateFor } from './what-a-vm-needs.js';

/**
 * Restores a VM that has no disk yet: its first start makes another one. There is nothing on any pool, and the job has
 * ended.
 *
 * @throws SlipwayError as `beginRestore`
 */
export async function changeDiskToMake(
  tx: Transaction,
  input: RestoreVirtualMachineInput,
  vm: typeof vmInstance.$inferSelect,
  toMake: typeof volumes.$inferSelect,
): Promise<void> {
  const template = await templateFor(tx, vm, input.templateId ?? vm.templateId);
  requireDrive(vm, template);
  const [former] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, vm.templateId));
  const formerBytes = toMake.wantedSizeBytes ?? former?.sizeBytes ?? null;
  const sizeBytes = sizeOfRestored(input, { old: { ...toMake, sizeBytes: formerBytes }, template });
  const isIso = !isDiskFormat(template.format);
  if (isIso && sizeBytes === null) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'A root disk for an ISO needs a size: give rootdisksize');
  }
  await tx
    .update(volumes)
    .set({
      templateId: template.id,
      wantedSizeBytes: sizeBytes,
      diskOfferingId: input.diskOfferingId ?? toMake.diskOfferingId,
    })
    .where(eq(volumes.id, toMake.id));
  await tx
    .update(vmInstance)
    .set({ templateId: template.id, ...(isIso ? { isoId: template.id } : {}) })
    .where(eq(vmInstance.id, vm.id));
  const isLarger = (sizeBytes ?? template.sizeBytes ?? 0) > (formerBytes ?? 0);
  if (isLarger) await requireRoom(tx, vm, ['primary_storage'], await readSettings(tx));
  if (!(await completeJob(tx, input.jobId, SUCCEEDED))) return;
  const description = `VM ${vm.name} gets a root disk of template ${template.name} when it is started`;
  await recordVmEvent(tx, vm, 'RESTORE', 'INFO', description, input.jobId);
}
