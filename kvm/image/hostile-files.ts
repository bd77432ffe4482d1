/** Test support: what is no disk, and what is two, by what it is refused for. */
import type { ImageFormat } from '../../shared/images.js';
import { backedBy } from './hostile-qcow2.js';
import {
  cutOff,
  iso,
  partitionTable,
  qcow2,
  raw,
  SECTOR_BYTES,
  tarHeader,
  withPieces,
  type NamedFile,
  type SparseFile,
} from './image-builder.js';

const TIB = 1024 ** 4;
const VHD_FOOTER = 'conectix\0\0\0\x02\0\x01\0\0\xff\xff\xff\xff';
const DISK_BYTES = 1024 ** 2;
const VMDK_DESCRIPTOR = '# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 2048 FLAT "/etc/shadow" 0\n';

/** What a disk registered as RAW must not be. */
export const FOREIGN: NamedFile[] = [
  ['a qcow of version 1', raw(DISK_BYTES, [0, 'QFI\xfb\0\0\0\x01'])],
  ['a qcow2', qcow2()],
  ['an ISO', iso()],
  ['a UDF image', raw(DISK_BYTES, [0x8000, '\0BEA01\x01'], [0x8800, '\0NSR02\x01'])],
  ['a VMDK', raw(DISK_BYTES, [0, 'KDMV\x01\0\0\0'], [512, VMDK_DESCRIPTOR])],
  ['a VMDK of ESX', raw(DISK_BYTES, [0, 'COWD'])],
  ['a VMDK descriptor', raw(DISK_BYTES, [0, VMDK_DESCRIPTOR])],
  ['a VMDK descriptor without its name', raw(DISK_BYTES, [0, '# x\n\nversion=1\nRW 2048 FLAT "/etc/shadow" 0\n'])],
  ['a VMDK descriptor alone', raw(VMDK_DESCRIPTOR.length, [0, VMDK_DESCRIPTOR])],
  ['a dynamic VHD', raw(DISK_BYTES, [0, VHD_FOOTER], [DISK_BYTES - 512, VHD_FOOTER])],
  ['a fixed VHD', raw(DISK_BYTES, ...partitionTable(), [DISK_BYTES - 512, VHD_FOOTER])],
  ['a VHDX', raw(DISK_BYTES, [0, 'vhdxfile'])],
  ['a VDI', raw(DISK_BYTES, [0, '<<< Oracle VM VirtualBox Disk Image >>>\n'], [0x40, '\x7f\x10\xda\xbe'])],
  ['a QED', raw(DISK_BYTES, [0, 'QED\0'])],
  ['a Parallels image', raw(DISK_BYTES, [0, 'WithoutFreeSpace'])],
  ['a Parallels image of version 2', raw(DISK_BYTES, [0, 'WithouFreSpacExt'])],
  ['a Bochs image', raw(DISK_BYTES, [0, 'Bochs Virtual HD Image'])],
  [
    'a cloop image',
    raw(DISK_BYTES, [0, '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n']),
  ],
  ['a dmg', raw(DISK_BYTES, [DISK_BYTES - 512, 'koly\0\0\0\x04\0\0\x02\0'])],
  ['a LUKS volume', raw(DISK_BYTES, [0, 'LUKS\xba\xbe\0\x02'])],
  ['an OVA', raw(DISK_BYTES, [0, tarHeader('appliance.ovf')])],
  ['an XVA', raw(DISK_BYTES, [0, tarHeader('ova.xml', '')])],
  ['an archive of before 1988', raw(DISK_BYTES, [0, tarHeader('etc/passwd', '')])],
  ['gzip data', raw(DISK_BYTES, [0, '\x1f\x8b\x08\0\0\0\0\0\0\x03'])],
  ['xz data', raw(DISK_BYTES, [0, '\xfd7zXZ\0'])],
  ['zstd data', raw(DISK_BYTES, [0, '\x28\xb5\x2f\xfd'])],
  ['bzip2 data', raw(DISK_BYTES, [0, 'BZh91AY&SY'])],
  ['a zip', raw(DISK_BYTES, [0, 'PK\x03\x04'])],
  ['a program', raw(DISK_BYTES, [0, '\x7fELF\x02\x01\x01'])],
  ["a captive portal's page", raw(2000, [0, `<!DOCTYPE html>\n<title>Log in</title>${' '.repeat(1960)}`])],
  ["a mirror's excuse", raw(23, [0, '{"error": "not found"}\n'])],
];

export const RAW_SIZES: NamedFile[] = [
  ['no bytes', raw(0)],
  ['one byte', raw(1)],
  ['60 TiB', raw(60 * TIB, ...partitionTable())],
  ['2^62 bytes', raw(2 ** 62)],
];

export const POLYGLOTS: [name: string, format: ImageFormat, file: SparseFile][] = [
  ['an ISO that is a qcow2', 'ISO', withPieces(iso(), ...backedBy('/etc/passwd').pieces)],
  ['a qcow2 that is an ISO', 'QCOW2', withPieces(qcow2(), ...iso().pieces)],
  ['an ISO that is a VMDK', 'ISO', withPieces(iso(), [0, VMDK_DESCRIPTOR])],
  ['an ISO that is a VHD', 'ISO', withPieces(iso(), [iso().sizeBytes - 512, VHD_FOOTER])],
  ['a qcow2 that is a VHD', 'QCOW2', withPieces(qcow2(), [qcow2().sizeBytes - 512, VHD_FOOTER])],
  ['a qcow2 that is a VDI', 'QCOW2', withPieces(qcow2(), [0x40, '\x7f\x10\xda\xbe'])],
  ['a qcow2 that is a dmg', 'QCOW2', withPieces(qcow2(), [qcow2().sizeBytes - 512, 'koly'])],
  ['a qcow2 that is a disk with partitions', 'QCOW2', withPieces(qcow2(), ...partitionTable())],
  [
    'a disk with partitions that is a qcow2',
    'RAW',
    withPieces(raw(DISK_BYTES, ...partitionTable()), ...backedBy('/etc/passwd').pieces),
  ],
  ['a disk with partitions that is a VMDK', 'RAW', raw(DISK_BYTES, ...partitionTable(), [0, 'KDMV'])],
  ['a VHD that is a VDI', 'RAW', raw(DISK_BYTES, [0, VHD_FOOTER], [0x40, '\x7f\x10\xda\xbe'])],
];

const PRIMARY = 16 * SECTOR_BYTES;
export const ISO_HEADERS: NamedFile[] = [
  ['no end to its descriptors', withPieces(iso(), [PRIMARY, '\x02'], [17 * SECTOR_BYTES, '\x02CD002'])],
  ['no primary descriptor', withPieces(iso(), [PRIMARY, '\x02'])],
  ['nothing but descriptors', raw(DISK_BYTES, ...descriptors(40))],
  ['a descriptor of version 9', iso({ version: 9 })],
  ['two sizes', iso({ blocks: [200, 199] })],
  ['a volume of 8 TiB', iso({ blocks: 0xffffffff })],
  ['blocks of 3 bytes', iso({ blockBytes: 3 })],
  ['blocks of no bytes', iso({ blockBytes: 0 })],
  ['two root directories', iso({ rootSector: [20, 21] })],
  ['a root directory beyond the end', iso({ rootSector: 0xfffffff0 })],
  ['a root directory of 4 GiB', iso({ rootBytes: 0xffffffff })],
  ['its end in its descriptor', cutOff(iso(), PRIMARY + 100)],
  ['its end after its descriptors', cutOff(iso({ blocks: 1_000_000 }), 18 * SECTOR_BYTES)],
];

function descriptors(count: number): SparseFile['pieces'] {
  return Array.from({ length: count }, (_, index) => [PRIMARY + index * SECTOR_BYTES, '\x02CD001\x01']);
}
