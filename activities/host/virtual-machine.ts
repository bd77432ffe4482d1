import { cancellationSignal } from '@temporalio/activity';
import { type DomainSpec, type GuestSecrets, type RootDisk, undoToken } from '../../shared/virtual-machines.js';
import { type HostDependencies, poolOf } from './dependencies.js';

export interface CreateRootVolumeInput {
  vmId: string;
  token: number;
  poolId: string;
  volumeId: string;
  disk: RootDisk;
}

export const createRootVolume =
  (dependencies: HostDependencies) =>
  ({
    vmId,
    token,
    poolId,
    volumeId,
    disk,
  }: CreateRootVolumeInput): Promise<{ fileName: string; virtualSizeBytes: number }> =>
    dependencies.tokens.withToken(vmId, token, () =>
      poolOf(dependencies, poolId).createRootVolume({ volumeId, token, disk }, cancellationSignal()),
    );

export const startDomain =
  ({ tokens, libvirt, started, keys }: HostDependencies) =>
  ({ spec, token }: { spec: DomainSpec; token: number }): Promise<void> =>
    tokens.withToken(spec.vmId, token, async () => {
      const guest = await keys.open<GuestSecrets>(spec.sealedGuest);
      await libvirt.startDomain(spec, token, guest);
      await started.add(spec.vmId, token);
    });

export interface ChangeIsoInput extends Pick<DomainSpec, 'vmId' | 'poolId' | 'iso'> {
  token: number;
}

/** Puts a disc into the CD-ROM drive of a VM that runs, or takes it out (`iso` is null). */
export const changeIso =
  ({ tokens, libvirt }: HostDependencies) =>
  ({ vmId, token, poolId, iso }: ChangeIsoInput): Promise<void> =>
    tokens.withToken(vmId, token, () => libvirt.changeIso(vmId, { poolId, iso }));

export interface GuestInput {
  vmId: string;
  token: number;
  /** At once, without asking the guest. */
  isForced?: boolean;
  /** How long the guest may take. */
  timeoutMs?: number;
}

/** For a VM that is destroyed, or stopped as a cleanup debt: nobody chose how long its guest may take. */
const STOP_TIMEOUT_MS = 30_000;

/**
 * Shuts the guest down, by force when it does not listen. Its disk stays, and so does the record that it was started:
 * should the answer be lost, the host's next report says that the domain has ended. A cancellation ends the wait; the
 * guest has been asked and may still follow.
 */
export const stopDomain =
  ({ tokens, libvirt }: HostDependencies) =>
  ({ vmId, token, isForced = false, timeoutMs = STOP_TIMEOUT_MS }: GuestInput): Promise<void> =>
    tokens.withToken(vmId, token, async () => {
      await libvirt.stopDomain(vmId, { isForced, timeoutMs, signal: cancellationSignal() });
    });

/** Reboots the guest, by a reset when it does not listen. */
export const rebootDomain =
  ({ tokens, libvirt }: HostDependencies) =>
  ({ vmId, token, isForced = false, timeoutMs = STOP_TIMEOUT_MS }: GuestInput): Promise<void> =>
    tokens.withToken(vmId, token, async () => {
      await libvirt.rebootDomain(vmId, { isForced, timeoutMs, signal: cancellationSignal() });
    });

/** Whether libvirt has a VM now. In the VM's turn: a start under way has ended by then, and a late one is refused. */
export const isDomainAlive =
  ({ tokens, libvirt }: HostDependencies) =>
  ({ vmId, token }: { vmId: string; token: number }): Promise<boolean> =>
    tokens.withToken(vmId, token, async () =>
      (await libvirt.listDomains()).some(
        (domain) => domain.vmId === vmId && (domain.state === 'Running' || domain.state === 'Paused'),
      ),
    );

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
