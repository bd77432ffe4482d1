import { cancellationSignal } from '@temporalio/activity';
import { runExclusively } from '../../kvm/download/exclusive-path.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import type { ImageFormat } from '../../shared/images.js';
import type { InstalledTemplate, PoolCopies, TemplateCopyRef } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';

export interface TemplateCopyInput {
  poolId: string;
  copy: TemplateCopyRef;
}

export interface InstallTemplateInput extends TemplateCopyInput {
  format: ImageFormat;
  /** The file that was downloaded is packed, and the image is what it was unpacked to. */
  isUnpacked: boolean;
}

/** Inspects the file before anything opens it, and makes it the pool's copy by an atomic rename. */
export const installTemplate =
  (dependencies: HostDependencies) =>
  async ({ poolId, copy, format, isUnpacked }: InstallTemplateInput): Promise<InstalledTemplate> => {
    const pool = poolOf(dependencies, poolId);
    return alone(pool, copy, () => pool.installTemplate(copy, format, isUnpacked));
  };

/** Removes whatever one try has left. */
export const discardTemplateCopy =
  (dependencies: HostDependencies) =>
  async ({ poolId, copy }: TemplateCopyInput): Promise<void> => {
    const pool = poolOf(dependencies, poolId);
    await alone(pool, copy, () => pool.discardTemplateCopy(copy));
  };

export interface RemovedCopy {
  /** Files on the pool that stand on it and that nobody knew of: it was not removed for their sake. */
  overlays: string[];
  /** Used on the pool's file system afterwards. */
  usedBytes: number;
}

/** Removes an installed copy that nothing refers to, if what is on disk agrees. */
export const removeTemplateCopy =
  (dependencies: HostDependencies) =>
  async ({ poolId, copy }: TemplateCopyInput): Promise<RemovedCopy> => {
    const pool = poolOf(dependencies, poolId);
    const overlays = await alone(pool, copy, () => pool.evictTemplate(copy));
    return { overlays, usedBytes: (await pool.report()).usedBytes };
  };

/** Gives a new try what a dead one, on this host or another of the pool, had downloaded. */
export const adoptPartial = (
  pool: FilesystemPool,
  dead: TemplateCopyRef,
  copy: TemplateCopyRef,
  signal: AbortSignal,
): Promise<void> => alone(pool, dead, () => pool.adoptPartial(dead, copy, signal));

/** Has a finished download whose image is lost unpacked anew. */
export const forgetLostImage = (pool: FilesystemPool, copy: TemplateCopyRef): Promise<void> =>
  alone(pool, copy, () => pool.forgetLostImage(copy));

/**
 * An activity that was cancelled or timed out may still run here: a download would leave its journal behind what was
 * discarded, and the loser of two installations would not find its file. It is ended, or waited for, first.
 */
const alone = <T>(pool: FilesystemPool, copy: TemplateCopyRef, act: () => Promise<T>): Promise<T> =>
  runExclusively(pool.partialPath(copy), cancellationSignal(), act);

/** Removes partial files of tries that nobody will resume. */
export const sweepPartials =
  (dependencies: HostDependencies) =>
  async ({ deadPartials }: { deadPartials: PoolCopies[] }): Promise<string[]> => {
    const removed: string[] = [];
    for (const { poolId, copies } of deadPartials) {
      if (copies.length > 0) removed.push(...(await poolOf(dependencies, poolId).sweepPartials(copies)));
    }
    return removed;
  };
