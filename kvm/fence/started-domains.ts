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
  /** What is on the disk, once all of it could be read. Whoever watches a host asks after each VM that starts. */
  #known: Promise<Map<string, number>> | undefined;

  /** `directory` belongs to this record alone; it is created when missing. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async add(vmId: string, token: number): Promise<void> {
    const path = this.#path(vmId);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileDurably(path, `${token}\n`, 0o600);
    // Only now, as below: what was read before may have been read anew meanwhile.
    (await this.#read()).set(vmId, token);
  }

  async remove(vmId: string): Promise<void> {
    await rm(this.#path(vmId), { force: true });
    (await this.#read()).delete(vmId);
  }

  /** Token per VM id. */
  async list(): Promise<Map<string, number>> {
    return new Map(await this.#read());
  }

  #read(): Promise<Map<string, number>> {
    this.#known ??= readRecord(this.#directory).then(
      ({ started, isWhole }) => {
        if (!isWhole) this.#known = undefined;
        return started;
      },
      (error: unknown) => {
        this.#known = undefined;
        throw error;
      },
    );
    return this.#known;
  }

  #path(vmId: string): string {
    assertUuid(vmId, 'VM id');
    return join(this.#directory, vmId);
  }
}

/** Not whole when a file could not be read, as in a moment without descriptors: a VM of it would never be missed. */
async function readRecord(directory: string): Promise<{ started: Map<string, number>; isWhole: boolean }> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const started = new Map<string, number>();
  let isWhole = true;
  // A killed process leaves half-made files beside the records; the database refuses a report of such an id.
  for (const vmId of (await readdir(directory)).filter(isUuid)) {
    const text = await readFile(join(directory, vmId), 'utf8').catch(() => {
      isWhole = false;
      return '';
    });
    if (/^\d+\n$/.test(text)) started.set(vmId, Number(text));
  }
  return { started, isWhole };
}
