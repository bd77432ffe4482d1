import type { vmInstance, vmTemplate, volumes } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';
import type { RestoreVirtualMachineInput } from '../../../shared/virtual-machines.js';

type Template = typeof vmTemplate.$inferSelect;

/** What was asked for; else what was asked for when the VM was made, where the template fits into that. */
export function sizeOfRestored(
  { sizeBytes }: RestoreVirtualMachineInput,
  { old, template }: { old: typeof volumes.$inferSelect; template: Template },
): number | null {
  const templateBytes = isDiskFormat(template.format) ? (template.sizeBytes ?? 0) : 0;
  if (sizeBytes !== undefined) {
    if (sizeBytes >= templateBytes) return sizeBytes;
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `A root disk of ${sizeBytes} bytes is smaller than template ${template.name} of ${templateBytes} bytes`,
    );
  }
  if (!isDiskFormat(template.format)) return old.wantedSizeBytes ?? old.sizeBytes;
  return old.wantedSizeBytes !== null && old.wantedSizeBytes >= templateBytes ? old.wantedSizeBytes : null;
}

/** @throws SlipwayError when what a disk is restored from goes to a drive that something else is in */
export function requireDrive(vm: typeof vmInstance.$inferSelect, template: Template): void {
  if (isDiskFormat(template.format) || vm.isoId === null || vm.isoId === template.id) return;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Another ISO is attached to VM ${vm.name}: detach it first`);
}
