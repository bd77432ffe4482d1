import { SlipwayError } from '../../shared/errors.js';
import { withXmlFile } from './create-domain.js';
import { buildCdromXml, readCdrom } from './domain-xml.js';
import type { Virsh } from './virsh.js';

/**
 * Changes what is in the CD-ROM drive of a VM that runs, also when the guest has locked the drive.
 *
 * @param iso absolute path; null for an empty drive
 * @throws SlipwayError SLIPWAY_HYPERVISOR
 */
export async function changeDisc(virsh: Virsh, vmId: string, iso: string | null, hasDacDriver: boolean): Promise<void> {
  const drive = readCdrom(await virsh.run(['dumpxml', vmId]));
  if (!drive) {
    throw new SlipwayError('SLIPWAY_HYPERVISOR', `VM ${vmId} runs without a CD-ROM drive: stop it and start it again`);
  }
  if (drive.iso === iso) return;
  await withXmlFile(buildCdromXml(iso, drive.bus, hasDacDriver), (file) =>
    virsh.run(['update-device', vmId, file, '--live', '--force']),
  );
}
