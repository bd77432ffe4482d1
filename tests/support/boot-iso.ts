import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { bootSector } from '../../demo/boot-disk.js';

const CD_SECTOR_BYTES = 2048;

/**
 * Writes an ISO that proves it booted: the guest prints `SLIPWAY-BOOT <nonce>` on its first serial port. It boots as
 * installers do, by El Torito without emulation of a floppy disk: the BIOS loads the sector to where a disk's would be.
 */
export async function buildBootIso(
  file: string,
  { nonce, isObliging }: { nonce: string; isObliging?: boolean },
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'slipway-iso-'));
  try {
    const image = Buffer.alloc(CD_SECTOR_BYTES);
    image.set(bootSector(nonce, isObliging === undefined ? {} : { isObliging }));
    await writeFile(path.join(directory, 'boot.img'), image);
    const bootable = '-eltorito-boot boot.img -no-emul-boot -boot-load-size 4 -eltorito-catalog boot.cat'.split(' ');
    const options = ['-quiet', '-volid', 'SLIPWAY', '-rock', ...bootable];
    await promisify(execFile)('xorriso', ['-no_rc', '-as', 'mkisofs', ...options, '-output', file, directory]);
  } finally {
    await rm(directory, { recursive: true });
  }
}
