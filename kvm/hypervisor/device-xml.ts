/** Devices of a domain as fast-xml-parser's builder takes them: `@` marks an attribute. */

/** Names of the drives as the guest's bus counts them: the CD-ROM is always there, whatever else is. */
export const CDROM_TARGET = 'sda';
const SEED_TARGET = 'sdb';

export interface RootDiskDevice {
  /** Absolute, as all paths here. */
  path: string;
  /** Null for a disk that stands on nothing. */
  backing: { path: string; format: 'qcow2' | 'raw' } | null;
}

export interface NicDevice {
  macAddress: string;
  /** Null for QEMU's own network. */
  bridge: string | null;
}

/**
 * A file that several VMs read and none may write keeps its owner, and is read as "others" may: libvirt would give it to
 * the user of the VM that started last, and back to root when the first one ends.
 *
 * @param hasDacDriver whether libvirt changes the owner of disks: the system instance does, a user's own cannot
 */
const sharedSource = (path: string, hasDacDriver: boolean): object => ({
  '@file': path,
  ...(hasDacDriver ? { seclabel: { '@model': 'dac', '@relabel': 'no' } } : {}),
});

/** libvirt gives it to QEMU's user for the time the VM runs. The chain is spelled out so that nothing is probed. */
export function rootDiskElement({ path, backing }: RootDiskDevice, hasDacDriver: boolean): object {
  return {
    '@type': 'file',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': 'qcow2' },
    source: { '@file': path },
    backingStore: backing
      ? {
          '@type': 'file',
          format: { '@type': backing.format },
          source: sharedSource(backing.path, hasDacDriver),
          backingStore: '',
        }
      : '',
    target: { '@dev': 'vda', '@bus': 'virtio' },
  };
}

/** Only PCs have a SATA controller. */
export type CdromBus = 'sata' | 'scsi';

/** @param iso null for an empty drive */
export const cdromElement = (iso: string | null, bus: CdromBus, hasDacDriver: boolean): object => ({
  '@type': 'file',
  '@device': 'cdrom',
  driver: { '@name': 'qemu', '@type': 'raw' },
  ...(iso === null ? {} : { source: sharedSource(iso, hasDacDriver) }),
  target: { '@dev': CDROM_TARGET, '@bus': bus },
  readonly: '',
});

/** One VM's alone: libvirt gives it to QEMU's user, and nobody else can read what is in it. */
export const seedElement = (path: string, bus: CdromBus): object => ({
  '@type': 'file',
  '@device': 'cdrom',
  driver: { '@name': 'qemu', '@type': 'raw' },
  source: { '@file': path },
  target: { '@dev': SEED_TARGET, '@bus': bus },
  readonly: '',
});

export const nicElement = ({ macAddress, bridge }: NicDevice): object => ({
  '@type': bridge === null ? 'user' : 'bridge',
  mac: { '@address': macAddress },
  ...(bridge === null ? {} : { source: { '@bridge': bridge } }),
  model: { '@type': 'virtio' },
  // No VM boots from a network. The ROM would cost the BIOS time, and be one more package that a host must have.
  rom: { '@enabled': 'no' },
});

/** A display that only processes of the host reach, and only those that know the password. */
export const vncElement = (password: string): object => ({
  '@type': 'vnc',
  '@autoport': 'yes',
  '@passwd': password,
  listen: { '@type': 'address', '@address': '127.0.0.1' },
});
