import { lstat, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { discardPartial } from '../../kvm/download/download.js';
import { forgetLostUnpacked } from '../../kvm/download/lost-unpacked.js';
import { onPool, unlessMissing } from '../../kvm/storage/pool-error.js';
import type { Digest } from '../../shared/checksum.js';
import { partialNameOf } from './file-names.js';
import { lockPartial } from './lock-partial.js';

/** The files of one download in the directory that its image goes to. */
export class PartialFiles {
  readonly directory: string;
  readonly path: string;
  readonly unpackedPath: string;
  readonly #unlock: () => Promise<void>;

  private constructor(directory: string, path: string, unlock: () => Promise<void>) {
    this.directory = directory;
    this.path = path;
    this.unpackedPath = `${path}.unpacked`;
    this.#unlock = unlock;
  }

  /**
   * Takes the files for this process, and checks that what is there can be continued.
   *
   * @throws SlipwayError SLIPWAY_POOL_IO, SLIPWAY_RESOURCE_BUSY
   */
  static async open(pool: string, url: string, checksum: Digest | undefined): Promise<PartialFiles> {
    const directory = await onPool(pool, 'open the directory', async () => {
      if (!(await stat(pool)).isDirectory()) throw new Error('it is not one');
      return realpath(pool);
    });
    const path = join(directory, partialNameOf(url, checksum));
    const files = new PartialFiles(directory, path, await lockPartial(path));
    try {
      await onPool(pool, 'read what is left of an earlier run', () => files.#prepare());
      return files;
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  /** Removes everything. */
  async discard(): Promise<void> {
    await discardPartial(this.path);
    await onPool(this.directory, 'remove partial files', () => rm(this.unpackedPath, { force: true }));
  }

  async close(): Promise<void> {
    await this.#unlock();
  }

  async #prepare(): Promise<void> {
    const partial = await unlessMissing(lstat(this.path));
    // A run that was killed just then has given it its final name: it must not change any more.
    if (partial && (!partial.isFile() || partial.nlink > 1)) await this.discard();
    await forgetLostUnpacked(this.path, this.unpackedPath);
  }
}
