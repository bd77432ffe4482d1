import { chmod, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { PoolReport } from '../../shared/hosts.js';
import type { ImageFormat } from '../../shared/images.js';
import type { InstalledTemplate, TemplateCopyRef } from '../../shared/templates.js';
import { inspectImage, type ImageInspection } from '../image/inspect-image.js';
import { syncDirectory } from '../write-file-durably.js';
import { createOverlay, syncFile } from './create-overlay.js';
import {
  installedNameOfPartial,
  isInstalledTemplate,
  parseVolumeFileName,
  partialFileName,
  templateFileName,
  volumeFileName,
} from './file-names.js';
import { onPool, unlessMissing } from './pool-error.js';

export interface FilesystemPoolOptions {
  poolId: string;
  path: string;
}

export interface RootVolumeRequest {
  volumeId: string;
  /** Fencing token of the attempt: part of the name, so that attempts never share a file. */
  token: number;
  /** `installPath` of the template. */
  backing: string;
  backingFormat: ImageFormat;
  /** Default: the size of the template. */
  sizeBytes?: number;
}

export interface RootVolume {
  fileName: string;
  virtualSizeBytes: number;
}

/**
 * Primary storage of type Filesystem: a directory on the host. Every method may be repeated after a crash or by a
 * late try, and then answers as the first time.
 *
 * All methods reject with SLIPWAY_POOL_FULL when the file system has no space, and SLIPWAY_POOL_IO on other failures
 * of it.
 */
export class FilesystemPool {
  readonly poolId: string;
  readonly #path: string;

  constructor({ poolId, path }: FilesystemPoolOptions) {
    this.poolId = poolId;
    this.#path = path;
  }

  /** Where the bytes of a template copy are downloaded to. */
  partialPath(ref: TemplateCopyRef): string {
    return join(this.#path, partialFileName(ref));
  }

  /**
   * Makes a downloaded file a template, when it is a safe image of the format.
   *
   * @throws SlipwayError SLIPWAY_IMAGE_REFUSED
   */
  async installTemplate(ref: TemplateCopyRef, format: ImageFormat): Promise<InstalledTemplate> {
    const installPath = templateFileName(ref);
    const final = join(this.#path, installPath);
    const partial = this.partialPath(ref);
    return this.#do(`install template file ${installPath}`, async () => {
      const isInstalled = (await unlessMissing(stat(final))) !== undefined;
      // An installed file is never replaced: disks may stand on it.
      if (isInstalled) return { installPath, ...sizes(await inspectImage(final, format)) };
      // QEMU, and the unprivileged inspection, read it as another user; only we may write it.
      await chmod(partial, 0o644);
      const inspection = await inspectImage(partial, format);
      await syncFile(partial);
      await rename(partial, final);
      await syncDirectory(this.#path);
      await this.#removeMatching((name) => installedNameOfPartial(name) === installPath);
      const { size } = await stat(final);
      if (size !== inspection.physicalSizeBytes) throw new Error('the file changed while it was installed');
      return { installPath, ...sizes(inspection) };
    });
  }

  /** Removes a template copy in whatever state it is. */
  async discardTemplateCopy(ref: TemplateCopyRef): Promise<void> {
    const installPath = templateFileName(ref);
    await this.#do(`remove template file ${installPath}`, () =>
      this.#removeMatching((name) => name === installPath || installedNameOfPartial(name) === installPath),
    );
  }

  /** @throws SlipwayError SLIPWAY_POOL_FULL when less is available than a file of `sizeBytes` still lacks on the pool */
  async ensureSpaceFor(ref: TemplateCopyRef, sizeBytes: number): Promise<void> {
    const { bavail, bsize } = await this.#do('read its free space', () => statfs(this.#path));
    const partial = await this.#do('read the size of a download', () => unlessMissing(stat(this.partialPath(ref))));
    const neededBytes = sizeBytes - (partial?.size ?? 0);
    if (bavail * bsize >= neededBytes) return;
    throw new SlipwayError(
      'SLIPWAY_POOL_FULL',
      `Primary storage pool ${this.poolId} has ${bavail * bsize} bytes available, and ${neededBytes} are needed`,
    );
  }

  async createRootVolume(request: RootVolumeRequest): Promise<RootVolume> {
    const { volumeId, token, backing, ...rest } = request;
    const fileName = volumeFileName(volumeId, token);
    if (!isInstalledTemplate(backing)) {
      throw new SlipwayError('SLIPWAY_INTERNAL', 'The backing file of a volume must be an installed template');
    }
    const virtualSizeBytes = await this.#do(`create volume file ${fileName}`, () =>
      createOverlay({ directory: this.#path, fileName, backing, ...rest }),
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

  async report(): Promise<PoolReport> {
    const { blocks, bfree, bsize } = await this.#do('read its size', () => statfs(this.#path));
    return { poolId: this.poolId, capacityBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize };
  }

  /**
   * Removes partial files, and files beside them, of all template copies but the live ones: those are resumed.
   * Installed templates and volumes are not touched: whether something refers to them only the control plane knows.
   *
   * @returns the names removed
   */
  async sweepPartials(live: readonly TemplateCopyRef[]): Promise<string[]> {
    const kept = new Set(live.map(templateFileName));
    return this.#do('sweep partial files', () =>
      this.#removeMatching((name) => {
        const installedName = installedNameOfPartial(name);
        return installedName !== undefined && !kept.has(installedName);
      }),
    );
  }

  /** Names of all files on the pool. */
  async list(): Promise<string[]> {
    return this.#do('list its files', () => readdir(this.#path));
  }

  async #deleteVolumes(volumeId: string, token: number, isMeant: (token: number) => boolean): Promise<void> {
    await this.#do(`remove volume file ${volumeFileName(volumeId, token)}`, () =>
      this.#removeMatching((name) => {
        const volume = parseVolumeFileName(name);
        return volume?.volumeId === volumeId && isMeant(volume.token);
      }),
    );
  }

  async #removeMatching(isMeant: (fileName: string) => boolean): Promise<string[]> {
    const names = (await readdir(this.#path)).filter(isMeant);
    await Promise.all(names.map((name) => rm(join(this.#path, name), { force: true })));
    return names;
  }

  async #do<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return onPool(this.poolId, doing, work);
  }
}

const sizes = ({ physicalSizeBytes, virtualSizeBytes }: ImageInspection) => ({ physicalSizeBytes, virtualSizeBytes });
