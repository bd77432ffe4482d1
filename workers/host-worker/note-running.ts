import type { HostDependencies } from '../../activities/host/dependencies.js';
import { isAlive } from '../../kvm/hypervisor/own-domains.js';

/**
 * Notes as started what runs. A process that was killed between the start of a VM and the note of it leaves one that
 * nobody would miss: when nothing starts it again, as when its workflow has ended meanwhile, it is shown as Running for
 * ever after it has died. Before any VM starts or is removed.
 */
export async function noteRunning({ libvirt, started }: Pick<HostDependencies, 'libvirt' | 'started'>): Promise<void> {
  const noted = await started.list();
  for (const domain of (await libvirt.listDomains()).filter(isAlive)) {
    if (noted.get(domain.vmId) !== domain.token) await started.add(domain.vmId, domain.token);
  }
}
