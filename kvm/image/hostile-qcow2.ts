/** Test support: qcow2 files that attack whoever opens them, by what they are refused for. */
import {
  CLUSTER_BYTES,
  cutOff,
  extension,
  type NamedFile,
  qcow2,
  QCOW2_TABLES,
  raw,
  u64,
  withPieces,
  type SparseFile,
} from './image-builder.js';

const TIB = 1024 ** 4;
const BACKING_FORMAT = 0xe2792aca;
const DATA_FILE = 0x44415441;
const CRYPTO = 0x0537be77;
const BITMAPS = 0x23852875;
const FEATURE_NAMES = 0x6803f857;
const INCOMPATIBLE = 72;
const AUTOCLEAR = 88;

const END = Buffer.alloc(8);
const extensions = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, END]);

/** CVE-2024-50386, and CVE-2024-32498 of OpenStack: an image that names files of the host. */
export function backedBy(name: string): SparseFile {
  return withPieces(qcow2({ u64: { 8: 1024n }, u32: { 16: name.length } }), [1024, name]);
}

export const BACKING_FILES: NamedFile[] = [
  ['a backing file of the host', backedBy('/etc/passwd')],
  ['a relative backing file', backedBy('../../../../etc/shadow')],
  ['a backing file in json', backedBy('json:{"driver":"raw","file":{"driver":"file","filename":"/etc/shadow"}}')],
  ['a backing file on a server', backedBy('nbd:127.0.0.1:10809:exportname=secret')],
  ['a backing file of curl', backedBy('http://169.254.169.254/latest/meta-data/')],
  ['a backing file that is a device', backedBy('host_device:/dev/sda')],
  ['a backing file without a name', qcow2({ u64: { 8: 1024n } })],
  ['a backing file whose name is 2 GiB long', qcow2({ u64: { 8: 1024n }, u32: { 16: 0x7fffffff } })],
  ['a backing file whose name is beyond all files', qcow2({ u64: { 8: 0xffff_ffff_ffff_ffffn }, u32: { 16: 8 } })],
  ['the format of a backing file', qcow2({}, extensions(extension(BACKING_FORMAT, 'vmdk')))],
  ['a backing file in version 2', qcow2({ u64: { 8: 1024n }, u32: { 4: 2, 16: 11 } })],
];

export const DATA_FILES: NamedFile[] = [
  ['an external data file', qcow2({ u64: { [INCOMPATIBLE]: 4n } }, extensions(extension(DATA_FILE, '/etc/shadow')))],
  ['a raw external data file', qcow2({ u64: { [INCOMPATIBLE]: 4n, [AUTOCLEAR]: 2n } })],
  [
    'a data file in json',
    qcow2({ u64: { [INCOMPATIBLE]: 4n } }, extensions(extension(DATA_FILE, 'json:{"driver":"nbd"}'))),
  ],
  ['the name of a data file without its feature', qcow2({}, extensions(extension(DATA_FILE, '/dev/sda')))],
  ['the promise of raw data outside', qcow2({ u64: { [AUTOCLEAR]: 2n } })],
];

export const FEATURES: NamedFile[] = [
  ['an unknown feature', qcow2({ u64: { [INCOMPATIBLE]: 1n << 5n } })],
  ['the last of the features', qcow2({ u64: { [INCOMPATIBLE]: 1n << 63n } })],
  ['version 4', qcow2({ u32: { 4: 4 } })],
  ['version 0', qcow2({ u32: { 4: 0 } })],
  ['an internal snapshot', qcow2({ u32: { 60: 1 }, u64: { 64: BigInt(CLUSTER_BYTES) } })],
  ['4,294,967,295 snapshots', qcow2({ u32: { 60: 0xffffffff }, u64: { 64: 1n << 62n } })],
  ['bitmaps', qcow2({ u64: { [AUTOCLEAR]: 1n } }, extensions(extension(BITMAPS, '\0\0\xff\xff'.padEnd(24, '\0'))))],
  ['an unknown compression', qcow2({ u32: { 104: 0x07000000 }, u64: { [INCOMPATIBLE]: 8n } })],
];

export const ENCRYPTED: NamedFile[] = [
  ['AES', qcow2({ u32: { 32: 1 } })],
  ['LUKS', qcow2({ u32: { 32: 2 } }, extensions(extension(CRYPTO, '\0'.repeat(16))))],
  ['an unknown cipher', qcow2({ u32: { 32: 77 } })],
  ['a pointer to a LUKS header', qcow2({}, extensions(extension(CRYPTO, '\xff'.repeat(16))))],
];

export const SIZES: NamedFile[] = [
  ['a disk of no size', qcow2({ u64: { 24: 0n } })],
  ['a disk of less than a sector', qcow2({ u64: { 24: 511n } })],
  ['a disk of 2^63 bytes', qcow2({ u64: { 24: 1n << 63n } })],
  ['a disk of 2^64 - 1 bytes', qcow2({ u64: { 24: 0xffff_ffff_ffff_ffffn } })],
  ['a disk of 17 TiB', qcow2({ u64: { 24: BigInt(17 * TIB) }, u32: { 36: 34_816 } })],
  ['a file of 4 EiB', { ...qcow2(), sizeBytes: 2 ** 62 }],
  ['a file of no bytes', raw(0)],
];

const L1 = QCOW2_TABLES.l1;
export const HEADERS: NamedFile[] = [
  ['clusters of 2 GiB', qcow2({ u32: { 20: 31 } })],
  ['clusters of 2^4294967295 bytes', qcow2({ u32: { 20: 0xffffffff } })],
  ['clusters of 256 bytes', qcow2({ u32: { 20: 8 } })],
  ['a header of 96 bytes', qcow2({ u32: { 100: 96 } })],
  ['a header of 109 bytes', qcow2({ u32: { 100: 109 } })],
  ['a header of 4 GiB', qcow2({ u32: { 100: 0xfffffff8 } })],
  ['a refcount_order of 7', qcow2({ u32: { 96: 7 } })],
  ['an L1 table of 32 GiB', qcow2({ u32: { 36: 0xffffffff } })],
  ['an L1 table too small', qcow2({ u32: { 36: 1 } })],
  ['an L1 table over the header', qcow2({ u64: { 40: 0n } })],
  ['an L1 table between clusters', qcow2({ u64: { 40: BigInt(L1 + 8) } })],
  ['an L1 table beyond the end', qcow2({ u64: { 40: 1n << 40n } })],
  ['an L1 table at 2^64 - 64 KiB', qcow2({ u64: { 40: 0xffff_ffff_ffff_0000n } })],
  ['an L1 table over the refcounts', qcow2({ u64: { 40: BigInt(QCOW2_TABLES.refcountTable) } })],
  ['an L1 entry beyond the end', withPieces(qcow2(), [L1, u64((1n << 63n) | (1n << 50n))])],
  ['an L1 entry between clusters', withPieces(qcow2(), [L1 + 8, u64((1n << 63n) | 0x10200n)])],
  ['an L1 entry with reserved bits', withPieces(qcow2(), [L1, u64((1n << 60n) | 0x10000n)])],
  ['an L1 table that is its own L2 table', withPieces(qcow2(), [L1, u64((1n << 63n) | BigInt(L1))])],
  ['no refcount table', qcow2({ u32: { 56: 0 } })],
  ['a refcount table of 256 TiB', qcow2({ u32: { 56: 0xffffffff } })],
  ['a refcount table over the header', qcow2({ u64: { 48: 0n } })],
  ['a refcount table beyond the end', qcow2({ u64: { 48: 1n << 62n } })],
  ['an extension longer than 4 GiB', qcow2({}, extension(FEATURE_NAMES, 'name', 0xffffffff))],
  ['an extension longer than the cluster', qcow2({}, extension(0x12345678, 'data', CLUSTER_BYTES))],
  ['two extensions of one type', qcow2({}, extensions(extension(FEATURE_NAMES, 'a'), extension(FEATURE_NAMES, 'b')))],
  ['extensions without end', withPieces(qcow2({ u32: { 20: 21 } }), [112, extension(0x12345678, 'x'.repeat(65_400))])],
  ['the mark of corruption', qcow2({ u64: { [INCOMPATIBLE]: 2n } })],
  ['a compression that its features deny', qcow2({ u32: { 104: 0x01000000 } })],
  ['bitmaps that are not there', qcow2({ u64: { [AUTOCLEAR]: 1n } })],
  ['subclusters in clusters of 4 KiB', qcow2({ u32: { 20: 12 }, u64: { [INCOMPATIBLE]: 16n } })],
  ['its end after 4 bytes', cutOff(qcow2(), 4)],
  ['its end after 80 bytes', cutOff(qcow2(), 80)],
  ['its end after the header', cutOff(qcow2(), 4096)],
  ['its end before the L1 table', cutOff(qcow2(), L1 + 8)],
];

/** What only QEMU looks at. */
export const REFUSED_BY_QEMU: NamedFile[] = [['no snapshots at an impossible place', qcow2({ u64: { 64: 12_345n } })]];
