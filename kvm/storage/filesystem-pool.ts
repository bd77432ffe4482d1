import { lstat, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { PoolPlace, PoolReport } from '../../shared/hosts.js';
import type { ImageFormat } from '../../shared/images.js';
import type { InstalledTemplate, TemplateCopyRef } from '../../shared/templates.js';
import type { RootDisk } from '../../shared/virtual-machines.js';
import { forgetLostUnpacked } from '../download/lost-unpacked.js';
import { syncDirectory } from '../write-file-durably.js';
import { adoptPartial } from './adopt-partial.js';
import { createRootDisk } from './create-root-disk.js';
import {
  parsePartialFileName,
  parseVolumeFileName,
  partialFileName,
  templateFileName,
  volumeFileName,
} from './file-names.js';
import { findOverlays } from './find-overlays.js';
import { onPool, unlessMissing } from './pool-error.js';
import { type FoundFiles, hasFile, type InventoryOptions, listInventory, removeOrphans } from './pool-inventory.js';
import { POOL_MARKER, requirePoolMarker } from './pool-marker.js';
import { createPoolReporter } from './pool-report.js';
import { inspectPublished, publishImage } from './publish-image.js';
import { reserveSpace } from './reserve-space.js';

export interface RootVolumeRequest {
  volumeId: string;
  /** Fencing token of the attempt: part of the name, so that attempts never share a file. */
  token: number;
  disk: RootDisk;
}

export interface RootVolume {
  fileName: string;
  virtualSizeBytes: number;
}

/** Blocks of `stat`, whatever the file system's own are. */
const STAT_BLOCK_BYTES = 512;

/**
 * Primary storage that is a directory: this host's own, or one that several hosts see. Every method may be repeated after
 * a crash or by a late try, and then answers as the first time.
 *
 * All methods reject with SLIPWAY_POOL_FULL when the file system has no space, and SLIPWAY_POOL_IO on other failures
 * of it, as when it is not mounted.
 */
export class FilesystemPool {
  readonly poolId: string;
  readonly #report: () => Promise<PoolReport>;
  readonly #path: string;

  constructor(place: PoolPlace) {
    this.poolId = place.poolId;
    this.#report = createPoolReporter(place);
    this.#path = place.path;
  }

  /** Where the bytes of a template copy are downloaded to. */
  partialPath(ref: TemplateCopyRef): string {
    return join(this.#path, partialFileName(ref));
  }

  /** Where a packed download is unpacked to. */
  unpackedPath(ref: TemplateCopyRef): string {
    return `${this.partialPath(ref)}.unpacked`;
  }

  /** Where the piece hashes of a download are kept. */
  piecesPath(ref: TemplateCopyRef): string {
    return `${this.partialPath(ref)}.pieces`;
  }

  /**
   * Makes a downloaded file a template, when it is a safe image of the format: what it was unpacked to, if it was packed.
   * All else of the download goes.
   *
   * @throws SlipwayError SLIPWAY_IMAGE_… as `inspectImage`
   */
  async installTemplate(ref: TemplateCopyRef, format: ImageFormat, isUnpacked: boolean): Promise<InstalledTemplate> {
    const installPath = templateFileName(ref);
    const final = join(this.#path, installPath);
    return this.#do(`install template file ${installPath}`, async () => {
      const isInstalled = (await unlessMissing(lstat(final))) !== undefined;
      // An installed file is never replaced: disks may stand on it.
      const { virtualSizeBytes, physicalSizeBytes } = isInstalled
        ? await inspectPublished(final, format)
        : await publishImage(isUnpacked ? this.unpackedPath(ref) : this.partialPath(ref), final, format);
      await syncDirectory(this.#path);
      await this.#removePartials([ref]);
      return { installPath, virtualSizeBytes, physicalSizeBytes, allocatedBytes: await allocatedBytes(final) };
    });
  }

  /** Removes a template copy in whatever state it is. */
  async discardTemplateCopy(ref: TemplateCopyRef): Promise<void> {
    const installPath = templateFileName(ref);
    await this.#do(`remove template file ${installPath}`, async () => {
      await this.#removePartials([ref]);
      await rm(join(this.#path, installPath), { force: true });
    });
  }

  /**
   * Removes an installed template for good, unless a file of the pool stands on it that nobody knew of.
   *
   * @returns names of such files; nothing is removed then
   */
  async evictTemplate(ref: TemplateCopyRef): Promise<string[]> {
    const installPath = templateFileName(ref);
    return this.#do(`evict template file ${installPath}`, async () => {
      const overlays = await findOverlays(this.#path, installPath);
      if (overlays.length > 0) return overlays;
      await rm(join(this.#path, installPath), { force: true });
      // Before its space is promised to somebody else.
      await syncDirectory(this.#path);
      return [];
    });
  }

  /**
   * Continues the download of a dead try in the files of a new one, and removes those of the dead one. When what it had
   * cannot be taken over, for want of space for instance, the new one begins at its first byte.
   */
  async adoptPartial(dead: TemplateCopyRef, ref: TemplateCopyRef, signal: AbortSignal): Promise<void> {
    await this.#do('take over the download of another try', async () => {
      await adoptPartial(this.partialPath(dead), this.partialPath(ref), signal).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
      await this.#removePartials([dead]);
    });
  }

  /** See `forgetLostUnpacked`. */
  async forgetLostImage(ref: TemplateCopyRef): Promise<void> {
    await this.#do('look for what a download was unpacked to', () =>
      forgetLostUnpacked(this.partialPath(ref), this.unpackedPath(ref)),
    );
  }

  /**
   * Checks that the pool is there and has the space that a download still lacks: for its file, if its size is known, and
   * for what that is unpacked to.
   *
   * @throws SlipwayError SLIPWAY_POOL_FULL
   */
  async ensureSpaceFor(ref: TemplateCopyRef, sizeBytes?: number, unpackedSizeBytes?: number): Promise<void> {
    const { bavail, bsize } = await this.#do('read its free space', () => statfs(this.#path));
    const lacking = async (path: string, wantedBytes = 0): Promise<number> => {
      const present = await this.#do('read the size of a download', () => unlessMissing(stat(path)));
      // Not its length: a file that is written at several places at once is as long as its last byte from the start.
      return Math.max(0, wantedBytes - (present?.blocks ?? 0) * STAT_BLOCK_BYTES);
    };
    const neededBytes =
      (await lacking(this.partialPath(ref), sizeBytes)) + (await lacking(this.unpackedPath(ref), unpackedSizeBytes));
    if (bavail * bsize >= neededBytes) return;
    throw new SlipwayError(
      'SLIPWAY_POOL_FULL',
      `Primary storage pool ${this.poolId} has ${bavail * bsize} bytes available, and ${neededBytes} are needed`,
    );
  }

  /**
   * Sets space aside for the file of a download that has begun, where the file system can. Never for what it is unpacked
   * to, which has holes.
   *
   * @throws SlipwayError SLIPWAY_POOL_FULL
   */
  async reserveSpaceFor(ref: TemplateCopyRef, sizeBytes: number, signal?: AbortSignal): Promise<void> {
    await this.ensureSpaceFor(ref, sizeBytes);
    await this.#do(`set ${sizeBytes} bytes aside`, () => reserveSpace(this.partialPath(ref), sizeBytes, signal));
  }

  /** @param signal ends the copy of a template, which may take minutes */
  async createRootVolume({ volumeId, token, disk }: RootVolumeRequest, signal?: AbortSignal): Promise<RootVolume> {
    const fileName = volumeFileName(volumeId, token);
    const virtualSizeBytes = await this.#do(`create volume file ${fileName}`, () =>
      createRootDisk({ directory: this.#path, fileName, disk, signal }),
    );
    return { fileName, virtualSizeBytes };
  }

  /** Removes one attempt's file of a volume. */
  async deleteVolume(volumeId: string, token: number): Promise<void> {
    await this.#deleteVolumes(volumeId, token, (found) => found === token);
  }

  /** Removes the files of all attempts up to this one: what earlier ones left behind too. */
  async deleteVolumesUpTo(volumeId: string, token: number): Promise<void> {
    await this.#deleteVolumes(volumeId, token, (found) => found <= token);
  }

  /** Its size, and why no new disk can be made on it; never rejects. */
  report(): Promise<PoolReport> {
    return this.#report();
  }

  /** Template copies of which there are partial files, or files beside them. */
  async listPartials(): Promise<TemplateCopyRef[]> {
    const names = await this.list();
    const copies = names.map(parsePartialFileName).filter((copy) => copy !== undefined);
    return [...new Map(copies.map((copy) => [templateFileName(copy), copy])).values()];
  }

  /**
   * Removes partial files, and files beside them, of dead template copies. Installed templates and volumes are not
   * touched: whether something refers to them only the control plane knows.
   *
   * @returns the names removed
   */
  async sweepPartials(dead: readonly TemplateCopyRef[]): Promise<string[]> {
    return this.#do('sweep partial files', () => this.#removePartials(dead));
  }

  /** Its installed templates and volumes, with those that were changed after a time once more. */
  inventory(options: InventoryOptions): Promise<FoundFiles> {
    return this.#do('list its files', () => listInventory(this.#path, options));
  }

  /** @returns which of the files that count for nothing are gone; one stays while another file stands on it */
  removeOrphans(fileNames: readonly string[]): Promise<string[]> {
    return this.#do('remove files of tries that are over', () => removeOrphans(this.#path, fileNames));
  }

  has(fileName: string): Promise<boolean> {
    return this.#do(`look for file ${fileName}`, () => hasFile(this.#path, fileName));
  }

  /** Names of all files on the pool. */
  async list(): Promise<string[]> {
    const names = await this.#do('list its files', () => readdir(this.#path));
    return names.filter((name) => !name.startsWith(POOL_MARKER));
  }

  async #deleteVolumes(volumeId: string, token: number, isMeant: (token: number) => boolean): Promise<void> {
    await this.#do(`remove volume file ${volumeFileName(volumeId, token)}`, () =>
      this.#removeMatching((name) => {
        const volume = parseVolumeFileName(name);
        return volume?.volumeId === volumeId && isMeant(volume.token);
      }),
    );
  }

  #removePartials(copies: readonly TemplateCopyRef[]): Promise<string[]> {
    const meant = new Set(copies.map(templateFileName));
    return this.#removeMatching((name) => {
      const copy = parsePartialFileName(name);
      return copy !== undefined && meant.has(templateFileName(copy));
    });
  }

  async #removeMatching(isMeant: (fileName: string) => boolean): Promise<string[]> {
    const names = (await readdir(this.#path)).filter(isMeant);
    await Promise.all(names.map((name) => rm(join(this.#path, name), { force: true })));
    return names;
  }

  async #do<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return onPool(this.poolId, doing, async () => {
      await requirePoolMarker(this.#path, this.poolId);
      return work();
    });
  }
}

const allocatedBytes = async (path: string): Promise<number> => (await stat(path)).blocks * STAT_BLOCK_BYTES;
