import { digestAlgorithm, DIGEST_HEX_LENGTH, digestStrength, type DigestAlgorithm } from '../../shared/checksum.js';
import type { PieceHashes } from '../../shared/images.js';
import type { Drop } from './metalink-file.js';
import { printable } from './printable.js';
import { wholeNumber } from './whole-number.js';

/** A shorter piece costs more in hashes and requests than it could ever save when it has to be fetched again. */
const MIN_LENGTH_BYTES = 4 * 1024;
/** A longer piece finds a bad mirror hardly sooner than the hash of the whole file does. */
const MAX_LENGTH_BYTES = 1024 ** 3;

/** One `pieces` element, as far as it has been read. */
export interface PieceList {
  /** For reports. */
  readonly what: string;
  /** @param piece its number; only version 3 gives one */
  add(hash: string, piece: string | undefined): void;
  /** What it comes to for a file of that size, or why it is not to be believed. */
  finish(sizeBytes: number | undefined): PieceHashes | { why: string };
}

/** Puts the hashes in order, each number being there once; else undefined. */
function inOrder(values: readonly string[], numbers: readonly number[]): string[] | undefined {
  const ordered = new Map(numbers.map((number, index) => [number, values[index] ?? '']));
  if (ordered.size !== values.length || numbers.some((number) => number >= values.length)) return undefined;
  return values.map((_, index) => ordered.get(index) ?? '');
}

function problemOf(algorithm: DigestAlgorithm | undefined, lengthBytes: number | undefined): string | undefined {
  if (algorithm === undefined) return 'their algorithm is not supported';
  if (lengthBytes === undefined || lengthBytes < MIN_LENGTH_BYTES || lengthBytes > MAX_LENGTH_BYTES) {
    return `their length is not from ${MIN_LENGTH_BYTES} to ${MAX_LENGTH_BYTES} bytes`;
  }
  return undefined;
}

/** @param isNumbered whether each hash says which piece it is of (version 3), in whatever order */
export function createPieceList(type: string, length: string, isNumbered: boolean): PieceList {
  const algorithm = digestAlgorithm(type.slice(0, 20).trim());
  const lengthBytes = wholeNumber(length);
  let problem = problemOf(algorithm, lengthBytes);
  let values: string[] = [];
  let numbers: number[] = [];
  const giveUp = (why: string): void => {
    problem = why;
    values = [];
    numbers = [];
  };
  return {
    what: `pieces of type "${printable(type)}" and length "${printable(length)}"`,
    add(hash, piece) {
      if (problem !== undefined || algorithm === undefined) return;
      const value = hash.trim().toLowerCase();
      if (value.length !== DIGEST_HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(value)) {
        return giveUp(`one of them is not ${DIGEST_HEX_LENGTH[algorithm]} hexadecimal digits`);
      }
      values.push(value);
      if (!isNumbered) return;
      const number = wholeNumber(piece ?? '');
      if (number === undefined) return giveUp('one of them has no number');
      numbers.push(number);
    },
    finish(sizeBytes) {
      if (problem !== undefined || algorithm === undefined || lengthBytes === undefined) return { why: problem ?? '' };
      if (sizeBytes === undefined) return { why: 'the size of the file is not known' };
      const expected = Math.ceil(sizeBytes / lengthBytes);
      if (values.length === 0 || values.length !== expected) {
        return { why: `there are ${values.length} of them and not ${expected}` };
      }
      const ordered = isNumbered ? inOrder(values, numbers) : values;
      return ordered ? { algorithm, lengthBytes, values: ordered } : { why: 'they are not numbered from 0, each once' };
    },
  };
}

const isBetter = (one: PieceHashes, other: PieceHashes | undefined): boolean => {
  if (!other) return true;
  const stronger = digestStrength(one.algorithm) - digestStrength(other.algorithm);
  return stronger > 0 || (stronger === 0 && one.lengthBytes < other.lengthBytes);
};

/** The strongest list that can be believed, and of equally strong ones that of the shortest pieces. */
export function choosePieces(
  { pieceLists, pieceListCount }: { pieceLists: readonly PieceList[]; pieceListCount: number },
  sizeBytes: number | undefined,
  drop: Drop,
): PieceHashes | undefined {
  const unread = pieceListCount - pieceLists.length;
  if (unread > 0) drop({ what: `${unread} lists of pieces`, why: `only ${pieceLists.length} are read` });
  let best: { list: PieceList; pieces: PieceHashes } | undefined;
  const dropForBetter = ({ what }: PieceList): void => drop({ what, why: 'others are stronger or shorter' });
  for (const list of pieceLists) {
    const pieces = list.finish(sizeBytes);
    if ('why' in pieces) drop({ what: list.what, why: pieces.why });
    else if (isBetter(pieces, best?.pieces)) {
      if (best) dropForBetter(best.list);
      best = { list, pieces };
    } else dropForBetter(list);
  }
  return best?.pieces;
}
