import type { ImageFormat } from '../../shared/images.js';
import { type DomainSpec, undoToken } from '../../shared/virtual-machines.js';
import { type HostDependencies, poolOf } from './dependencies.js';

export interface CreateRootVolumeInput {
  vmId: string;
  token: number;
  poolId: string;
  volumeId: string;
  /** File name of the template below the pool. */
  backing: string;
  backingFormat: ImageFormat;
}

export const createRootVolume =
  (dependencies: HostDependencies) =>
  ({
    vmId,
    token,
    poolId,
    ...volume
  }: CreateRootVolumeInput): Promise<{ fileName: string; virtualSizeBytes: number }> =>
    dependencies.tokens.withToken(vmId, token, () =>
      poolOf(dependencies, poolId).createRootVolume({ ...volume, token }),
    );

export const startDomain =
  ({ tokens, libvirt, started }: HostDependencies) =>
  ({ spec, token }: { spec: DomainSpec; token: number }): Promise<void> =>
    tokens.withToken(spec.vmId, token, async () => {
      await libvirt.startDomain(spec, token);
      await started.add(spec.vmId, token);
    });

/** Shuts the guest down, by force when it does not listen. Its disk stays. */
export const stopDomain =
  ({ tokens, libvirt, started }: HostDependencies) =>
  ({ vmId, token }: { vmId: string; token: number }): Promise<void> =>
    tokens.withToken(vmId, token, async () => {
      // Before the domain ends: a VM that is stopped on purpose must not be reported as one that died.
      await started.remove(vmId);
      await libvirt.stopDomain(vmId, { isForced: false, timeoutMs: STOP_TIMEOUT_MS });
    });

const STOP_TIMEOUT_MS = 30_000;

/** Undoes a try of a VM: its domain, its console and every root disk up to that try. A late start of the same try is refused. */
export const removeDeployment =
  (dependencies: HostDependencies) =>
  ({
    vmId,
    token,
    poolId,
    volumeId,
  }: {
    vmId: string;
    token: number;
    poolId: string;
    volumeId: string;
  }): Promise<void> =>
    dependencies.tokens.withToken(vmId, undoToken(token), async () => {
      await dependencies.started.remove(vmId);
      await dependencies.libvirt.destroyDomain(vmId);
      await poolOf(dependencies, poolId).deleteVolumesUpTo(volumeId, token);
      await dependencies.libvirt.removeConsole(vmId);
    });
