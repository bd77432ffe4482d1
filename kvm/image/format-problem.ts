import type { ImageFormat } from '../../shared/images.js';
import type { Mark } from './content-marks.js';
import { problem, type ImageProblem } from './image-problem.js';

const SIGNATURE_OFFSET = 510;
const PARTITIONS_OFFSET = 446;
const PARTITION_BYTES = 16;

/**
 * Whether what a file's bytes say agrees with the format that it is to be used as. Whoever opens a file later, by
 * whatever rule, has to see the same in it as was looked at here.
 */
export function formatProblem(marks: readonly Mark[], head: Buffer, format: ImageFormat): ImageProblem | undefined {
  const [first, second] = marks;
  if (first && second) return problem('POLYGLOT', `it can be read as ${first.name} and as ${second.name}`);
  if (!first) {
    if (format === 'RAW') return undefined;
    return problem('FORMAT', `it does not have the signature of ${format === 'ISO' ? 'an ISO' : 'a qcow2'} image`);
  }
  // An ISO that boots from a stick has a partition table before it, and a fixed VHD is a raw disk with a footer.
  if (first.format !== 'ISO' && !hasFooterOnly(first) && hasPartitions(head)) {
    return problem('POLYGLOT', `it can be read as ${first.name} and as a disk with partitions`);
  }
  return first.format === format ? undefined : problem('FORMAT', `it is ${first.name}`);
}

const hasFooterOnly = ({ name }: Mark): boolean => name === 'a VHD image' || name === 'a dmg image';

/** A master boot record with at least one partition. */
function hasPartitions(head: Buffer): boolean {
  if (head.length < 512 || head.readUInt16BE(SIGNATURE_OFFSET) !== 0x55aa) return false;
  const partitions = [0, 1, 2, 3].map((index) => {
    const start = PARTITIONS_OFFSET + index * PARTITION_BYTES;
    return head.subarray(start, start + PARTITION_BYTES);
  });
  return (
    partitions.every((partition) => partition[0] === 0 || partition[0] === 0x80) &&
    partitions.some((partition) => partition.readUInt32LE(12) > 0)
  );
}
