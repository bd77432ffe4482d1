import { type HostDependencies, poolOf } from './dependencies.js';

export interface RemoveVolumeFilesInput {
  vmId: string;
  token: number;
  poolId: string;
  volumeId: string;
  upToToken: number;
}

/** Removes the files of a root disk that is not its VM's. A late try to make one is refused. */
export const removeVolumeFiles =
  (dependencies: HostDependencies) =>
  ({ vmId, token, poolId, volumeId, upToToken }: RemoveVolumeFilesInput): Promise<void> =>
    dependencies.tokens.withToken(vmId, token, () =>
      poolOf(dependencies, poolId).deleteVolumesUpTo(volumeId, upToToken),
    );
