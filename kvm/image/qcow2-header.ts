/**
 * The qcow2 header, read from bytes alone (QEMU's `docs/interop/qcow2.txt`): what the file says about itself is known
 * before any tool opens it and follows what it says.
 */
const MAGIC = 0x514649fb; // "QFI\xfb"
const V2_HEADER_LENGTH = 72;
const V3_MIN_HEADER_LENGTH = 104;

const EXTENSION_END = 0;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
const EXTENSION_DATA_FILE = 0x44415441;
const EXTENSION_CRYPTO = 0x0537be77;

const INCOMPATIBLE_DIRTY = 1n << 0n;
const INCOMPATIBLE_CORRUPT = 1n << 1n;
const INCOMPATIBLE_DATA_FILE = 1n << 2n;
const INCOMPATIBLE_COMPRESSION_TYPE = 1n << 3n;
const INCOMPATIBLE_EXTENDED_L2 = 1n << 4n;
const KNOWN_INCOMPATIBLE =
  INCOMPATIBLE_DIRTY |
  INCOMPATIBLE_CORRUPT |
  INCOMPATIBLE_DATA_FILE |
  INCOMPATIBLE_COMPRESSION_TYPE |
  INCOMPATIBLE_EXTENDED_L2;

// QEMU refuses more than these itself; a file that asks for more only wants memory.
const MAX_L1_BYTES = 32 * 1024 ** 2;
const MAX_REFCOUNT_TABLE_BYTES = 8 * 1024 ** 2;

/** So many bytes from the start of a file are enough for every header that is accepted. */
export const QCOW2_HEADER_READ_BYTES = 64 * 1024;

export interface Qcow2Header {
  version: number;
  clusterBits: number;
  virtualSizeBytes: number;
  backingFileOffset: number;
  /** Undefined when there is none, or when its name lies outside the bytes given. */
  backingFile: string | undefined;
  backingFormat: string | undefined;
  hasDataFileName: boolean;
  hasCryptoHeader: boolean;
  encryptionMethod: number;
  l1Entries: number;
  l1TableOffset: number;
  refcountTableOffset: number;
  refcountTableClusters: number;
  snapshots: number;
  incompatibleFeatures: bigint;
  refcountOrder: number;
  headerLength: number;
  compressionType: number;
}

/** Reads the header from the first bytes of a file, or says in plain words why there is none. */
export function parseQcow2Header(bytes: Buffer): Qcow2Header | { problem: string } {
  if (bytes.length < V2_HEADER_LENGTH) return { problem: 'the file is shorter than a qcow2 header' };
  if (bytes.readUInt32BE(0) !== MAGIC) return { problem: 'it does not begin with the qcow2 signature' };
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) return { problem: `qcow2 version ${version} is not supported, only 2 and 3` };
  if (version === 3 && bytes.length < V3_MIN_HEADER_LENGTH) {
    return { problem: 'the file is shorter than a qcow2 header' };
  }
  const headerLength = version === 3 ? bytes.readUInt32BE(100) : V2_HEADER_LENGTH;
  const clusterBits = bytes.readUInt32BE(20);
  // Checked here already: the cluster size bounds where header extensions may be.
  if (clusterBits < 9 || clusterBits > 21) return { problem: `cluster_bits is ${clusterBits}, not between 9 and 21` };
  if (version === 3 && (headerLength < V3_MIN_HEADER_LENGTH || headerLength % 8 !== 0)) {
    return { problem: `header_length is ${headerLength}` };
  }
  if (headerLength > 2 ** clusterBits) return { problem: 'the header is longer than a cluster' };
  const extensions = parseExtensions(bytes, headerLength, 2 ** clusterBits);
  if ('problem' in extensions) return extensions;

  const backingFileOffset = Number(bytes.readBigUInt64BE(8));
  const backingFileLength = bytes.readUInt32BE(16);
  const backingFileEnd = backingFileOffset + backingFileLength;
  return {
    version,
    clusterBits,
    virtualSizeBytes: Number(bytes.readBigUInt64BE(24)),
    backingFileOffset,
    backingFile:
      backingFileOffset > 0 && backingFileEnd <= bytes.length
        ? bytes.toString('utf8', backingFileOffset, backingFileEnd)
        : undefined,
    ...extensions,
    encryptionMethod: bytes.readUInt32BE(32),
    l1Entries: bytes.readUInt32BE(36),
    l1TableOffset: Number(bytes.readBigUInt64BE(40)),
    refcountTableOffset: Number(bytes.readBigUInt64BE(48)),
    refcountTableClusters: bytes.readUInt32BE(56),
    snapshots: bytes.readUInt32BE(60),
    incompatibleFeatures: version === 3 ? bytes.readBigUInt64BE(72) : 0n,
    refcountOrder: version === 3 ? bytes.readUInt32BE(96) : 4,
    headerLength,
    compressionType: headerLength > 104 && bytes.length > 104 ? bytes.readUInt8(104) : 0,
  };
}

type Extensions = Pick<Qcow2Header, 'backingFormat' | 'hasDataFileName' | 'hasCryptoHeader'>;

function parseExtensions(bytes: Buffer, start: number, clusterBytes: number): Extensions | { problem: string } {
  const found: Extensions = { backingFormat: undefined, hasDataFileName: false, hasCryptoHeader: false };
  const end = Math.min(clusterBytes, bytes.length);
  let offset = start;
  // An old version 2 image may have no room for, and so no, end marker.
  while (offset + 8 <= end) {
    const type = bytes.readUInt32BE(offset);
    const length = bytes.readUInt32BE(offset + 4);
    if (type === EXTENSION_END) return found;
    const dataStart = offset + 8;
    if (dataStart + length > end) return { problem: 'a header extension reaches beyond the first cluster' };
    if (type === EXTENSION_BACKING_FORMAT) found.backingFormat = bytes.toString('utf8', dataStart, dataStart + length);
    if (type === EXTENSION_DATA_FILE) found.hasDataFileName = true;
    if (type === EXTENSION_CRYPTO) found.hasCryptoHeader = true;
    offset = dataStart + Math.ceil(length / 8) * 8;
  }
  return found;
}

/**
 * Why an image from a stranger must not be used, in plain words; undefined when nothing speaks against it. Everything
 * that makes QEMU open another file, decrypt, or allocate by the file's word is refused.
 */
export function qcow2Problem(
  header: Qcow2Header,
  fileSizeBytes: number,
  maxVirtualSizeBytes: number,
): string | undefined {
  const clusterBytes = 2 ** header.clusterBits;
  const features = header.incompatibleFeatures;
  if (header.backingFileOffset !== 0) return 'it has a backing file';
  if (features & INCOMPATIBLE_DATA_FILE || header.hasDataFileName) return 'it keeps its data in an external file';
  if (features & ~KNOWN_INCOMPATIBLE) {
    return `it needs unknown features (0x${(features & ~KNOWN_INCOMPATIBLE).toString(16)})`;
  }
  if (features & INCOMPATIBLE_CORRUPT) return 'it is marked as corrupt';
  if (header.encryptionMethod !== 0 || header.hasCryptoHeader) return 'it is encrypted';
  if (header.snapshots !== 0) return 'it has internal snapshots';
  if (header.compressionType > 1) return `its compression type ${header.compressionType} is unknown`;
  if ((header.compressionType !== 0) !== Boolean(features & INCOMPATIBLE_COMPRESSION_TYPE)) {
    return 'its compression type contradicts its feature bits';
  }
  if (features & INCOMPATIBLE_EXTENDED_L2 && header.clusterBits < 14)
    return 'its clusters are too small for subclusters';
  if (header.refcountOrder > 6) return `its refcount_order is ${header.refcountOrder}`;
  if (header.virtualSizeBytes === 0) return 'its virtual size is 0';
  if (header.virtualSizeBytes > maxVirtualSizeBytes) {
    return `its virtual size of ${header.virtualSizeBytes} bytes is more than the ${maxVirtualSizeBytes} allowed`;
  }
  const l1Bytes = header.l1Entries * 8;
  const l2EntryBytes = features & INCOMPATIBLE_EXTENDED_L2 ? 16 : 8;
  const bytesPerL1Entry = clusterBytes * (clusterBytes / l2EntryBytes);
  if (l1Bytes > MAX_L1_BYTES) return 'its L1 table is too large';
  if (header.l1Entries < Math.ceil(header.virtualSizeBytes / bytesPerL1Entry)) {
    return 'its L1 table is too small for its virtual size';
  }
  const refcountTableBytes = header.refcountTableClusters * clusterBytes;
  if (header.refcountTableClusters === 0) return 'it has no refcount table';
  if (refcountTableBytes > MAX_REFCOUNT_TABLE_BYTES) return 'its refcount table is too large';
  return (
    tableProblem('L1', header.l1TableOffset, l1Bytes, clusterBytes, fileSizeBytes) ??
    tableProblem('refcount', header.refcountTableOffset, refcountTableBytes, clusterBytes, fileSizeBytes)
  );
}

function tableProblem(
  name: string,
  offset: number,
  lengthBytes: number,
  clusterBytes: number,
  fileSizeBytes: number,
): string | undefined {
  if (offset % clusterBytes !== 0) return `its ${name} table is not aligned to a cluster`;
  if (offset === 0) return `its ${name} table overlaps the header`;
  if (offset + lengthBytes > fileSizeBytes) return `its ${name} table lies beyond the end of the file`;
  return undefined;
}
