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
  /** What is on the disk: it is read once. Whoever watches a host asks after each VM that starts. */
  #known: Promise<Map<string, number>> | undefined;

  /** `directory` belongs to this record alone; it is created when missing. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async add(vmId: string, token: number): Promise<void> {
    const path = this.#path(vmId);
    const known = await this.#read();
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileDurably(path, `${token}\n`, 0o600);
    known.set(vmId, token);
  }

  async remove(vmId: string): Promise<void> {
    const path = this.#path(vmId);
    const known = await this.#read();
    await rm(path, { force: true });
    known.delete(vmId);
  }

  /** Token per VM id. */
  async list(): Promise<Map<string, number>> {
    return new Map(await this.#read());
  }

  #read(): Promise<Map<string, number>> {
    this.#known ??= readRecord(this.#directory).catch((error: unknown) => {
      this.#known = undefined;
      throw error;
    });
    return this.#known;
  }

  #path(vmId: string): string {
    assertUuid(vmId, 'VM id');
    return join(this.#directory, vmId);
  }
}

async function readRecord(directory: string): Promise<Map<string, number>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const started = new Map<string, number>();
  // A killed process leaves half-made files beside the records; the database refuses a report of such an id.
  for (const vmId of (await readdir(directory)).filter(isUuid)) {
    const text = await readFile(join(directory, vmId), 'utf8').catch(() => '');
    if (/^\d+\n$/.test(text)) started.set(vmId, Number(text));
  }
  return started;
}
