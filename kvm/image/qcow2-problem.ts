import { problem, type ImageProblem } from './image-problem.js';
import type { Qcow2Header } from './qcow2-header.js';

const DIRTY = 1n << 0n;
const CORRUPT = 1n << 1n;
const DATA_FILE = 1n << 2n;
const COMPRESSION_TYPE = 1n << 3n;
const EXTENDED_L2 = 1n << 4n;
const KNOWN = DIRTY | CORRUPT | DATA_FILE | COMPRESSION_TYPE | EXTENDED_L2;

const AUTOCLEAR_BITMAPS = 1n << 0n;
const AUTOCLEAR_RAW_DATA_FILE = 1n << 1n;

// QEMU refuses more than these itself; a file that asks for more only wants memory.
const MAX_L1_BYTES = 32 * 1024 ** 2;
const MAX_REFCOUNT_TABLE_BYTES = 8 * 1024 ** 2;

const ZSTD = 1;
const SECTOR_BYTES = 512;

/**
 * Why a stranger's qcow2 must not be used, by its header alone; undefined when nothing speaks against it. Everything
 * that makes QEMU open another file, decrypt, or allocate by the file's word is refused.
 */
export function qcow2Problem(
  header: Qcow2Header,
  fileSizeBytes: number,
  maxVirtualSizeBytes: number,
): ImageProblem | undefined {
  return (
    otherFilesProblem(header) ??
    featuresProblem(header) ??
    sizeProblem(header, maxVirtualSizeBytes) ??
    tablesProblem(header, fileSizeBytes)
  );
}

function otherFilesProblem(header: Qcow2Header): ImageProblem | undefined {
  if (header.backingFileOffset !== 0) return problem('BACKING_FILE', 'it has a backing file');
  if (header.backingFormat !== undefined) return problem('BACKING_FILE', 'it names the format of a backing file');
  const isOutside = (header.incompatibleFeatures & DATA_FILE) !== 0n || header.hasDataFileName;
  if (isOutside || header.autoclearFeatures & AUTOCLEAR_RAW_DATA_FILE) {
    return problem('DATA_FILE', 'it keeps its data in an external file');
  }
  return undefined;
}

function featuresProblem(header: Qcow2Header): ImageProblem | undefined {
  const { incompatibleFeatures: features, compressionType } = header;
  const unknown = features & ~KNOWN;
  if (unknown) return problem('FEATURES', `it needs unknown features (0x${unknown.toString(16)})`);
  if (header.encryptionMethod !== 0 || header.hasCryptoHeader) return problem('ENCRYPTED', 'it is encrypted');
  if (header.snapshots !== 0) return problem('FEATURES', 'it has internal snapshots');
  // QEMU takes memory for each bitmap, of which there may be 65,535, whenever it opens the image.
  if (header.hasBitmaps && header.autoclearFeatures & AUTOCLEAR_BITMAPS) {
    return problem('FEATURES', 'it has dirty bitmaps');
  }
  if (compressionType > ZSTD) return problem('FEATURES', `its compression type ${compressionType} is unknown`);
  if (features & CORRUPT) return damaged('it is marked as corrupt');
  if ((compressionType !== 0) !== Boolean(features & COMPRESSION_TYPE)) {
    return damaged('its compression type contradicts its feature bits');
  }
  if (features & EXTENDED_L2 && header.clusterBits < 14) return damaged('its clusters are too small for subclusters');
  if (header.autoclearFeatures & AUTOCLEAR_BITMAPS && !header.hasBitmaps) {
    return damaged('its feature bits promise bitmaps that are not there');
  }
  return undefined;
}

function sizeProblem({ virtualSizeBytes }: Qcow2Header, maxVirtualSizeBytes: number): ImageProblem | undefined {
  if (virtualSizeBytes < SECTOR_BYTES) return problem('SIZE', `its virtual size is ${virtualSizeBytes} bytes`);
  if (virtualSizeBytes <= maxVirtualSizeBytes) return undefined;
  return problem(
    'SIZE',
    `its virtual size of ${virtualSizeBytes} bytes is more than the ${maxVirtualSizeBytes} allowed`,
  );
}

interface Table {
  name: string;
  offset: number;
  lengthBytes: number;
}

function tablesProblem(header: Qcow2Header, fileSizeBytes: number): ImageProblem | undefined {
  const clusterBytes = 2 ** header.clusterBits;
  const l1: Table = { name: 'L1', offset: header.l1TableOffset, lengthBytes: header.l1Entries * 8 };
  const refcounts: Table = {
    name: 'refcount',
    offset: header.refcountTableOffset,
    lengthBytes: header.refcountTableClusters * clusterBytes,
  };
  const l2EntryBytes = header.incompatibleFeatures & EXTENDED_L2 ? 16 : 8;
  const bytesPerL1Entry = clusterBytes * (clusterBytes / l2EntryBytes);
  if (header.refcountOrder > 6) return damaged(`its refcount_order is ${header.refcountOrder}`);
  if (l1.lengthBytes > MAX_L1_BYTES) return damaged('its L1 table is too large');
  if (header.l1Entries < Math.ceil(header.virtualSizeBytes / bytesPerL1Entry)) {
    return damaged('its L1 table is too small for its virtual size');
  }
  if (header.refcountTableClusters === 0) return damaged('it has no refcount table');
  if (refcounts.lengthBytes > MAX_REFCOUNT_TABLE_BYTES) return damaged('its refcount table is too large');
  const reason = placeProblem(l1, clusterBytes, fileSizeBytes) ?? placeProblem(refcounts, clusterBytes, fileSizeBytes);
  if (reason) return damaged(reason);
  if (l1.offset < refcounts.offset + refcounts.lengthBytes && refcounts.offset < l1.offset + l1.lengthBytes) {
    return damaged('its L1 and refcount tables overlap');
  }
  return undefined;
}

function placeProblem(
  { name, offset, lengthBytes }: Table,
  clusterBytes: number,
  fileSizeBytes: number,
): string | undefined {
  if (offset % clusterBytes !== 0) return `its ${name} table is not aligned to a cluster`;
  if (offset === 0) return `its ${name} table overlaps the header`;
  if (offset + lengthBytes > fileSizeBytes) return `its ${name} table lies beyond the end of the file`;
  return undefined;
}

const damaged = (reason: string): ImageProblem => problem('HEADER', reason);
