import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { DomainSpec, NicSpec } from '../../shared/virtual-machines.js';
import { readQcow2Header } from '../image/read-qcow2-header.js';
import { isInstalledTemplate, parseVolumeFileName } from '../storage/file-names.js';
import type { NicDevice, RootDiskDevice } from './device-xml.js';

/** Devices of a domain that files and bridges of the host stand behind. */
export interface DomainDevices {
  disk: RootDiskDevice;
  iso: string | null;
  nics: NicDevice[];
}

/** Of one station: a group's would never get an answer. */
const MAC_ADDRESS = /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;

/**
 * Finds on the host what a VM asks for.
 *
 * @param bridgeOf see `createGuestNetwork`
 * @throws SlipwayError SLIPWAY_INTERNAL when a name is none that Slipway gives, SLIPWAY_POOL_IO when its disk is not what
 * it should be, SLIPWAY_HYPERVISOR when the host lacks a network
 */
export async function findDevices(
  spec: DomainSpec,
  poolDirectory: string,
  bridgeOf: (vlan: number | null) => Promise<string>,
): Promise<DomainDevices> {
  const { rootVolume } = spec;
  if (!parseVolumeFileName(rootVolume)) {
    throw new SlipwayError('SLIPWAY_INTERNAL', 'The root volume must be the name of a volume file');
  }
  return {
    disk: { path: join(poolDirectory, rootVolume), backing: await readBacking(poolDirectory, rootVolume) },
    iso: isoPath(poolDirectory, spec.iso),
    nics: await Promise.all(spec.nics.map((nic) => nicOf(nic, bridgeOf))),
  };
}

/** @returns null for an empty drive */
export function isoPath(poolDirectory: string, iso: string | null): string | null {
  if (iso === null) return null;
  if (isInstalledTemplate(iso)) return join(poolDirectory, iso);
  throw new SlipwayError('SLIPWAY_INTERNAL', 'The disc of a VM must be an installed ISO');
}

async function nicOf(
  { macAddress, type, vlan }: NicSpec,
  bridgeOf: (vlan: number | null) => Promise<string>,
): Promise<NicDevice> {
  if (!MAC_ADDRESS.test(macAddress)) throw new SlipwayError('SLIPWAY_INTERNAL', 'A NIC has no usable MAC address');
  return { macAddress, bridge: type === 'User' ? null : await bridgeOf(vlan) };
}

/** @returns null for a disk that stands on nothing */
async function readBacking(directory: string, rootVolume: string): Promise<RootDiskDevice['backing']> {
  const header = await readQcow2Header(join(directory, rootVolume)).catch((error: NodeJS.ErrnoException) => {
    throw new SlipwayError('SLIPWAY_POOL_IO', `The volume file ${rootVolume} cannot be read (${error.code})`);
  });
  if (header?.backingFileOffset === 0) return null;
  const format = header?.backingFormat;
  if (!header?.backingFile || !isInstalledTemplate(header.backingFile) || (format !== 'qcow2' && format !== 'raw')) {
    throw new SlipwayError('SLIPWAY_POOL_IO', `The volume file ${rootVolume} does not stand on an installed template`);
  }
  return { path: join(directory, header.backingFile), format };
}
