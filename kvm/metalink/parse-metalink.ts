import type { ImageFormat } from '../../shared/images.js';
import { collectFile } from './collect-file.js';
import type { Drop, Dropped, MetalinkFile } from './metalink-file.js';
import { choosePieces } from './piece-list.js';
import { printable } from './printable.js';
import { readDigests, readSize, readUrls } from './read-elements.js';
import { refusal } from './refusal.js';
import { toTiers } from './to-tiers.js';

/** Room for the hashes of 100 GiB in pieces of 1 MiB, as generators indent them. */
export const MAX_METALINK_BYTES = 16 * 1024 * 1024;
/** The rest of what was not used is not told: a document may be nothing but that. */
const MAX_DROPPED = 1_000;
/** How many reasons an error names. */
const MAX_REASONS = 3;

export interface MetalinkContext {
  /** Relative URLs of the document start from it. */
  documentUrl: string;
  /** Chooses among several files. */
  format: ImageFormat;
  /** Two-letter country codes, best first: of mirrors of one priority, those there come first. */
  mirrorLocations: readonly string[];
}

function noSource(name: string, dropped: readonly Dropped[]): Error {
  const reasons = dropped.slice(0, MAX_REASONS).map(({ what, why }) => `${what}: ${why}`);
  if (dropped.length > MAX_REASONS) reasons.push(`and ${dropped.length - MAX_REASONS} more`);
  const why = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  return refusal('SLIPWAY_METALINK_NO_SOURCE', `its file "${printable(name)}" has no URL that can be used${why}`);
}

/**
 * Reads a metalink document, version 4 (RFC 5854) or 3: one file, its size, the hashes of the whole of it and of its
 * pieces, and its mirrors. Elements that are not valid are dropped with a reason; a document that contradicts itself is
 * refused. Time and memory are bounded for any document, as hostile-metalinks.test.ts measures.
 *
 * @throws SlipwayError SLIPWAY_METALINK_INVALID, SLIPWAY_METALINK_DTD, SLIPWAY_METALINK_TOO_LARGE,
 *   SLIPWAY_METALINK_NO_SOURCE
 */
export function parseMetalink(document: Buffer | string, context: MetalinkContext): MetalinkFile {
  const bytes = typeof document === 'string' ? Buffer.from(document) : document;
  if (bytes.length > MAX_METALINK_BYTES) {
    throw refusal('SLIPWAY_METALINK_TOO_LARGE', `it is longer than ${MAX_METALINK_BYTES} bytes`);
  }
  const { file, otherNames } = collectFile(bytes, context.format);
  const name = printable(file.name);
  const dropped: Dropped[] = [];
  const drop: Drop = ({ what, why }) => {
    if (dropped.length < MAX_DROPPED) dropped.push({ what: printable(what), why });
  };
  for (const other of otherNames) drop({ what: `file "${other}"`, why: `"${name}" was chosen` });
  const sizeBytes = readSize(file.size, drop);
  const digests = readDigests(file.hash, drop);
  const pieces = choosePieces(file, sizeBytes, drop);
  const droppedBefore = dropped.length;
  const { mirrors, metaurls } = readUrls(file, context.documentUrl, drop);
  if (mirrors.length === 0 && metaurls.length === 0) throw noSource(file.name, dropped.slice(droppedBefore));
  return {
    name,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    digests,
    ...(pieces ? { pieces } : {}),
    tiers: toTiers(mirrors, context.mirrorLocations),
    metaurls,
    dropped,
  };
}
