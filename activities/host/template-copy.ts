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
  ({ poolId, copy, format }: TemplateCopyInput & { format: ImageFormat }): Promise<InstalledTemplate> =>
    poolOf(dependencies, poolId).installTemplate(copy, format);

/** Removes whatever one try has left. */
export const discardTemplateCopy =
  (dependencies: HostDependencies) =>
  ({ poolId, copy }: TemplateCopyInput): Promise<void> =>
    poolOf(dependencies, poolId).discardTemplateCopy(copy);

/** Removes partial files of tries that nobody will resume. */
export const sweepPartials =
  (dependencies: HostDependencies) =>
  async ({ livePartials }: { livePartials: { poolId: string; copies: TemplateCopyRef[] }[] }): Promise<string[]> => {
    const removed: string[] = [];
    for (const { poolId, copies } of livePartials) {
      // A pool that was taken out of this host's configuration is not an error at start.
      const pool = dependencies.pools.get(poolId);
      if (pool) removed.push(...(await pool.sweepPartials(copies)));
    }
    return removed;
  };
