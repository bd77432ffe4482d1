import { createCipheriv, createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { ImageFormat } from '../shared/images.js';
import { runQemuImg } from '../kvm/image/qemu-img.js';

const SECTOR_BYTES = 512;
const CHUNK_BYTES = 1024 ** 2;
/** The BIOS loads the first sector here and jumps to it. */
const LOAD_ADDRESS = 0x7c00;

export interface BootDiskOptions {
  /** What the console shows: letters, digits and dashes. */
  nonce: string;
  /** Virtual size, a multiple of 512. */
  sizeBytes: number;
  format: ImageFormat;
  /** The guest powers off when it is asked to; without, it halts and hears nothing. */
  isObliging?: boolean;
}

/**
 * Writes a disk that proves it booted: the guest prints `SLIPWAY-BOOT <nonce>` on its first serial port and halts. The
 * rest of the disk does not compress, so that its size is what travels and is stored. The same options give the same
 * bytes.
 */
export async function buildBootDisk(path: string, options: BootDiskOptions): Promise<void> {
  if (options.format === 'RAW') return writeRawDisk(path, options);
  const raw = `${path}.raw`;
  try {
    await writeRawDisk(raw, options);
    await runQemuImg(['convert', '-f', 'raw', '-O', 'qcow2', raw, `${path}.new`], { timeoutMs: 600_000 });
    await rename(`${path}.new`, path);
  } finally {
    await rm(raw, { force: true });
    await rm(`${path}.new`, { force: true });
  }
}

async function writeRawDisk(path: string, { nonce, sizeBytes, isObliging }: BootDiskOptions): Promise<void> {
  if (sizeBytes < SECTOR_BYTES || sizeBytes % SECTOR_BYTES !== 0) {
    throw new RangeError(`A disk is a number of whole sectors, not ${sizeBytes} bytes`);
  }
  const file = await open(path, 'w');
  try {
    await file.write(bootSector(nonce, { isObliging }));
    // A key stream is as good as random, and faster than any generator written here.
    const keyStream = createCipheriv('aes-256-ctr', createHash('sha256').update(nonce).digest(), Buffer.alloc(16));
    const zeros = Buffer.alloc(CHUNK_BYTES);
    for (let left = sizeBytes - SECTOR_BYTES; left > 0; left -= CHUNK_BYTES) {
      await file.write(keyStream.update(zeros.subarray(0, Math.min(left, CHUNK_BYTES))));
    }
  } finally {
    await file.close();
  }
}

const HALT = [
  [0xf4], //                                                        halt:  hlt
  [0xeb, 0xfd], //                                                         jmp  halt (-3)
];

/** The ports are where SeaBIOS puts ACPI's power management. The timer's interrupt wakes it 18 times a second. */
const AWAIT_POWER_BUTTON = [
  [0xba, 0x02, 0x06], //                                                   mov  dx, 0x602   PM1 enable
  [0xb8, 0x00, 0x01], //                                                   mov  ax, 0x100   the power button
  [0xef], //                                                               out  dx, ax
  [0xfb], //                                                               sti
  [0xba, 0x00, 0x06], //                                            again: mov  dx, 0x600   PM1 status
  [0xf4], //                                                               hlt
  [0xed], //                                                               in   ax, dx
  [0xf6, 0xc4, 0x01], //                                                   test ah, 1       button pressed?
  [0x74, 0xf6], //                                                         jz   again (-10)
  [0xba, 0x04, 0x06], //                                                   mov  dx, 0x604   PM1 control
  [0xb8, 0x00, 0x20], //                                                   mov  ax, 0x2000  sleep, type 0: soft off
  [0xef], //                                                               out  dx, ax
  [0xeb, 0xed], //                                                         jmp  again (-19)
];

/** 16-bit code for a PC BIOS. It polls the UART rather than trusting it to be empty: TCG is slow, real UARTs slower. */
export function bootSector(nonce: string, { isObliging = false }: Pick<BootDiskOptions, 'isObliging'> = {}): Buffer {
  if (!/^[\w-]{1,200}$/.test(nonce)) throw new RangeError('The nonce must be 1 to 200 letters, digits or dashes');
  const assemble = (messageAddress: number): number[] =>
    [
      [0xfa], //                                                    cli
      [0xfc], //                                                    cld
      [0x31, 0xc0], //                                              xor  ax, ax
      [0x8e, 0xd8], //                                              mov  ds, ax
      [0xbe, messageAddress & 0xff, messageAddress >> 8], //        mov  si, message
      [0xac], //                                             next:  lodsb
      [0x84, 0xc0], //                                              test al, al
      [0x74, 0x12], //                                              jz   halt (+18)
      [0x88, 0xc3], //                                              mov  bl, al
      [0xba, 0xfd, 0x03], //                                        mov  dx, 0x3fd   line status of COM1
      [0xec], //                                             wait:  in   al, dx
      [0xa8, 0x20], //                                              test al, 0x20    transmitter empty?
      [0x74, 0xfb], //                                              jz   wait (-5)
      [0xba, 0xf8, 0x03], //                                        mov  dx, 0x3f8   data of COM1
      [0x88, 0xd8], //                                              mov  al, bl
      [0xee], //                                                    out  dx, al
      [0xeb, 0xe9], //                                              jmp  next (-23)
      ...(isObliging ? AWAIT_POWER_BUTTON : HALT),
    ].flat();
  const codeLength = assemble(0).length;
  const sector = Buffer.alloc(SECTOR_BYTES);
  sector.set(assemble(LOAD_ADDRESS + codeLength));
  sector.write(`SLIPWAY-BOOT ${nonce}\r\n\0`, codeLength, 'latin1');
  // Without this signature the BIOS does not boot the disk.
  sector.writeUInt16LE(0xaa55, SECTOR_BYTES - 2);
  return sector;
}
