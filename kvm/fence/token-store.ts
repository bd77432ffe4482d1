import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import { assertUuid } from '../uuid.js';
import { writeFileDurably } from '../write-file-durably.js';

const DAY_MS = 24 * 60 * 60 * 1000;
// Longer than any operation can still be under way, so that no late one finds its fence gone.
const KEPT_MS = 30 * DAY_MS;

/**
 * The highest fencing token seen per VM, on disk before anything is done under it. An operation that was given up
 * somewhere else, and comes late, has a lower token and is refused.
 *
 * Tokens outlive their VM: a start that arrives after the VM was expunged must still find the higher one.
 */
export class TokenStore {
  readonly #directory: string;
  readonly #tails = new Map<string, Promise<unknown>>();

  /** `directory` belongs to this store alone; it is created when missing. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Runs `act` when no higher token was seen for the VM, and one at a time per VM. An equal token may come again: it is
   * the same operation, repeated.
   *
   * @throws SlipwayError SLIPWAY_FENCED when a higher token was seen
   */
  async withToken<T>(vmId: string, token: number, act: () => Promise<T>): Promise<T> {
    assertUuid(vmId, 'VM id');
    if (!Number.isSafeInteger(token) || token < 0) {
      throw new SlipwayError('SLIPWAY_INTERNAL', `A fencing token must be a whole number, not ${token}`);
    }
    return this.#inTurn(vmId, async () => {
      const highest = await this.#read(vmId);
      if (highest !== undefined && token < highest) {
        throw new SlipwayError(
          'SLIPWAY_FENCED',
          `Operation ${token} on VM ${vmId} was refused: this host has already seen operation ${highest}`,
        );
      }
      if (token !== highest) await this.#record(vmId, token);
      return act();
    });
  }

  /** Removes tokens of VMs that nothing was done with for 30 days before `nowMs`. */
  async sweep(nowMs: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs < nowMs - KEPT_MS) await rm(path, { force: true });
    }
  }

  async #inTurn<T>(vmId: string, act: () => Promise<T>): Promise<T> {
    const previous = this.#tails.get(vmId) ?? Promise.resolve();
    const turn = previous.then(act, act);
    this.#tails.set(vmId, turn);
    try {
      return await turn;
    } finally {
      if (this.#tails.get(vmId) === turn) this.#tails.delete(vmId);
    }
  }

  async #read(vmId: string): Promise<number | undefined> {
    let text: string;
    try {
      text = await readFile(join(this.#directory, vmId), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    // To take a damaged file for "none seen" would open the fence.
    if (!/^\d+\n$/.test(text)) {
      throw new SlipwayError('SLIPWAY_INTERNAL', `The fencing token of VM ${vmId} on this host is damaged`);
    }
    return Number(text);
  }

  async #record(vmId: string, token: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileDurably(join(this.#directory, vmId), `${token}\n`, 0o600);
  }
}
