import { problem, type ImageProblem } from './image-problem.js';
import { parseQcow2Extensions, type Qcow2Extensions } from './qcow2-extensions.js';

/**
 * The qcow2 header, read from bytes alone (QEMU's `docs/interop/qcow2.txt`): what the file says about itself is known
 * before any tool opens it and follows what it says.
 */
const MAGIC = 0x514649fb; // "QFI\xfb"
const V2_HEADER_LENGTH = 72;
const V3_MIN_HEADER_LENGTH = 104;

export interface Qcow2Header extends Qcow2Extensions {
  version: number;
  clusterBits: number;
  virtualSizeBytes: number;
  backingFileOffset: number;
  /** Undefined when there is none, or when its name lies outside the bytes given. */
  backingFile: string | undefined;
  encryptionMethod: number;
  l1Entries: number;
  l1TableOffset: number;
  refcountTableOffset: number;
  refcountTableClusters: number;
  snapshots: number;
  incompatibleFeatures: bigint;
  autoclearFeatures: bigint;
  refcountOrder: number;
  headerLength: number;
  compressionType: number;
}

/** @param bytes from the start of a file */
export const hasQcow2Signature = (bytes: Buffer): boolean => bytes.length >= 4 && bytes.readUInt32BE(0) === MAGIC;

/**
 * Reads the header from the first 64 KiB of a file, or says in plain words why there is none. What it says is not
 * judged.
 */
export function parseQcow2Header(bytes: Buffer): Qcow2Header | ImageProblem {
  if (bytes.length < V2_HEADER_LENGTH) return damaged('it is shorter than a qcow2 header');
  if (!hasQcow2Signature(bytes)) return problem('FORMAT', 'it does not begin with the qcow2 signature');
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) return problem('FEATURES', `its qcow2 version is ${version}, not 2 or 3`);
  if (version === 3 && bytes.length < V3_MIN_HEADER_LENGTH) {
    return damaged('it is shorter than a qcow2 header');
  }
  const headerLength = version === 3 ? bytes.readUInt32BE(100) : V2_HEADER_LENGTH;
  const clusterBits = bytes.readUInt32BE(20);
  // Checked here already: the cluster size bounds where header extensions may be.
  if (clusterBits < 9 || clusterBits > 21) return damaged(`its cluster_bits is ${clusterBits}, not between 9 and 21`);
  if (version === 3 && (headerLength < V3_MIN_HEADER_LENGTH || headerLength % 8 !== 0)) {
    return damaged(`its header_length is ${headerLength}`);
  }
  if (headerLength > 2 ** clusterBits) return damaged('its header is longer than a cluster');
  const extensions = parseQcow2Extensions(bytes, headerLength, 2 ** clusterBits);
  if ('code' in extensions) return extensions;

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
    autoclearFeatures: version === 3 ? bytes.readBigUInt64BE(88) : 0n,
    refcountOrder: version === 3 ? bytes.readUInt32BE(96) : 4,
    headerLength,
    compressionType: headerLength > 104 && bytes.length > 104 ? bytes.readUInt8(104) : 0,
  };
}

const damaged = (reason: string): ImageProblem => problem('HEADER', reason);
