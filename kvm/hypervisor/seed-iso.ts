import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../../shared/errors.js';
import type { GuestSecrets } from '../../shared/virtual-machines.js';
import { unlessMissing } from '../storage/pool-error.js';
import { assertUuid } from '../uuid.js';

const RUN_TIMEOUT_MS = 30_000;
/** In front of the name of a directory in which one is made; a killed process leaves it. */
const MAKING = '.making-';
const NAME = /^([0-9a-f-]{36})\.iso$/;

/**
 * ISOs that tell guests who they are, as cloud-init's data source NoCloud reads them: a volume `cidata` with `user-data`
 * and `meta-data`. Nobody but root, and QEMU for the time a VM runs, can read one; it goes when the VM stops.
 */
export class SeedIsos {
  readonly #directory: string;

  /** `directory` belongs to these ISOs alone; it is created when missing, and QEMU's user has to get to it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Makes the one of a VM, in place of an earlier.
   *
   * @returns its absolute path; null when there is nothing to tell the guest
   * @throws SlipwayError SLIPWAY_HYPERVISOR
   */
  async write(vmId: string, guest: GuestSecrets): Promise<string | null> {
    const path = this.#path(vmId);
    if (guest.userData === undefined && guest.sshPublicKeys.length === 0) {
      // What an earlier start was told is not true any more.
      await this.remove(vmId);
      return null;
    }
    await mkdir(this.#directory, { recursive: true });
    // To pass, and not to look around.
    await chmod(this.#directory, 0o711);
    const making = await mkdtemp(join(this.#directory, MAKING));
    try {
      const [content, made] = [join(making, 'content'), join(making, 'iso')];
      await mkdir(content);
      await writeFile(join(content, 'user-data'), userData(guest));
      await writeFile(join(content, 'meta-data'), metaData(vmId, guest));
      await buildIso(content, made);
      await chmod(made, 0o600);
      await rename(made, path);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
    return path;
  }

  async remove(vmId: string): Promise<void> {
    await rm(this.#path(vmId), { force: true });
  }

  /** Removes all but those of some VMs, and what killed processes have left half-made. */
  async sweep(kept: ReadonlySet<string>): Promise<void> {
    const names = (await unlessMissing(readdir(this.#directory))) ?? [];
    const stale = names.filter((name) => {
      const vmId = NAME.exec(name)?.[1];
      return vmId === undefined ? name.startsWith(MAKING) : !kept.has(vmId);
    });
    await Promise.all(stale.map((name) => rm(join(this.#directory, name), { recursive: true, force: true })));
  }

  #path(vmId: string): string {
    assertUuid(vmId, 'VM id');
    return join(this.#directory, `${vmId}.iso`);
  }
}

/** NoCloud takes no volume without user data for one. */
const NOTHING_TO_DO = '#cloud-config\n';

/** As it is: `#cloud-config`, a script or multipart, which the guest tells apart. */
const userData = (guest: GuestSecrets): Buffer =>
  guest.userData === undefined ? Buffer.from(NOTHING_TO_DO) : Buffer.from(guest.userData, 'base64');

/** YAML, of which JSON is a part but for some characters that it does not let stand as they are. */
function metaData(vmId: string, { instanceId = vmId, hostName, sshPublicKeys }: GuestSecrets): string {
  const values = { 'instance-id': instanceId, 'local-hostname': hostName, 'public-keys': sshPublicKeys };
  const escaped = JSON.stringify(values).replace(
    /[\u007F-\u009F\u2028\u2029\uFEFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${escaped}\n`;
}

/** Joliet and Rock Ridge: plain ISO 9660 has no lower case and no dash in names. */
async function buildIso(directory: string, path: string): Promise<void> {
  const options = ['-quiet', '-volid', 'cidata', '-joliet', '-rock'];
  // No settings of whoever started the worker.
  const args = ['-no_rc', '-as', 'mkisofs', ...options, '-output', path, directory];
  try {
    await promisify(execFile)('xorriso', args, {
      timeout: RUN_TIMEOUT_MS,
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    const reason =
      code === 'ENOENT' ? 'xorriso is not installed' : (/^xorriso : (?:FAILURE|FATAL) : (.+)/m.exec(stderr)?.[1] ?? '');
    throw new SlipwayError(
      'SLIPWAY_HYPERVISOR',
      `The seed ISO of the VM cannot be made: ${reason || 'xorriso failed'}`,
    );
  }
}
