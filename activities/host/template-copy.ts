import { cancellationSignal } from '@temporalio/activity';
import { runExclusively } from '../../kvm/download/exclusive-path.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import type { ImageFormat } from '../../shared/images.js';
import type { InstalledTemplate, TemplateCopyRef } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';

export interface TemplateCopyInput {
  poolId: string;
  copy: TemplateCopyRef;
}

/** Inspects the file before anything opens it, and makes it the pool's copy by an atomic rename. */
export const installTemplate =
  (dependencies: HostDependencies) =>
  async ({ poolId, copy, format }: TemplateCopyInput & { format: ImageFormat }): Promise<InstalledTemplate> => {
    const pool = poolOf(dependencies, poolId);
    const installed = await alone(pool, copy, () => pool.installTemplate(copy, format));
    dependencies.begunCopies.remove(poolId, copy);
    return installed;
  };

/** Removes whatever one try has left. */
export const discardTemplateCopy =
  (dependencies: HostDependencies) =>
  async ({ poolId, copy }: TemplateCopyInput): Promise<void> => {
    const pool = poolOf(dependencies, poolId);
    await alone(pool, copy, () => pool.discardTemplateCopy(copy));
    dependencies.begunCopies.remove(poolId, copy);
  };

/**
 * An activity that was cancelled or timed out may still run here: a download would leave its journal behind what was
 * discarded, and the loser of two installations would not find its file. It is ended, or waited for, first.
 */
const alone = <T>(pool: FilesystemPool, copy: TemplateCopyRef, act: () => Promise<T>): Promise<T> =>
  runExclusively(pool.partialPath(copy), cancellationSignal(), act);

/** Removes partial files of tries that nobody will resume. */
export const sweepPartials =
  (dependencies: HostDependencies) =>
  async ({ livePartials }: { livePartials: { poolId: string; copies: TemplateCopyRef[] }[] }): Promise<string[]> => {
    const removed: string[] = [];
    for (const { poolId, copies } of livePartials) {
      // A pool that was taken out of this host's configuration is not an error at start.
      const pool = dependencies.pools.get(poolId);
      if (!pool) continue;
      removed.push(...(await pool.sweepPartials([...copies, ...dependencies.begunCopies.of(poolId)])));
    }
    return removed;
  };
