import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assertUuid, isUuid } from '../uuid.js';
import { writeFileDurably } from '../write-file-durably.js';

/**
 * Which VMs this host has started and not removed, with the token of the last start. A VM in here without a domain has
 * ended, by itself or because it was told to. Without this record, a list of domains taken a moment before a start would
 * look like a VM that has died.
 */
export class StartedDomains {
  readonly #directory: string;

  /** `directory` belongs to this record alone; it is created when missing. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async add(vmId: string, token: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileDurably(this.#path(vmId), `${token}\n`, 0o600);
  }

  async remove(vmId: string): Promise<void> {
    await rm(this.#path(vmId), { force: true });
  }

  /** Token per VM id. */
  async list(): Promise<Map<string, number>> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const started = new Map<string, number>();
    // A killed process leaves half-made files beside the records; the database refuses a report of such an id.
    for (const vmId of (await readdir(this.#directory)).filter(isUuid)) {
      const text = await readFile(join(this.#directory, vmId), 'utf8').catch(() => '');
      if (/^\d+\n$/.test(text)) started.set(vmId, Number(text));
    }
    return started;
  }

  #path(vmId: string): string {
    assertUuid(vmId, 'VM id');
    return join(this.#directory, vmId);
  }
}
