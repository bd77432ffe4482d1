import { FilesystemPool, type RootVolume, type RootVolumeRequest } from '../../../kvm/storage/filesystem-pool.js';
import { volumeFileName } from '../../../kvm/storage/file-names.js';
import type { PoolReport } from '../../../shared/hosts.js';

/** Of each simulated disk, and so of the template that it stands on. */
export const DISK_BYTES = 1024 ** 3;

/** A pool that keeps templates as the real one does, and whose root disks are names. */
export class SimulatedPool extends FilesystemPool {
  override createRootVolume({ volumeId, token }: RootVolumeRequest): Promise<RootVolume> {
    return Promise.resolve({ fileName: volumeFileName(volumeId, token), virtualSizeBytes: DISK_BYTES });
  }

  override deleteVolumesUpTo(): Promise<void> {
    return Promise.resolve();
  }

  /** Large enough: CPU and memory are what limits a simulated host. */
  override async report(): Promise<PoolReport> {
    return { ...(await super.report()), capacityBytes: 1024 ** 5, usedBytes: 0 };
  }
}
