import { control, onHost } from './activity-proxies.js';

/** Removes a root disk that is not its VM's any more, or never became it. Whoever asked for it asks again when it fails. */
export async function removeVolume(input: { volumeId: string }): Promise<void> {
  const planned = await control('who can remove it?').planVolumeRemoval(input);
  if (planned.outcome === 'not now') return;
  if (planned.outcome === 'planned') {
    const { hostId, hostName, ...files } = planned.removal;
    await onHost(hostId, `remove a root disk on ${hostName}`).removeVolumeFiles(files);
  }
  await control('it is gone').recordVolumeRemoved(input);
}
