import type { Digest } from '../../shared/checksum.js';
import type { PieceHashes } from '../../shared/images.js';
import { wholeNumber } from './whole-number.js';

/** A part of a document that was not used. Without secrets. */
export interface Dropped {
  what: string;
  why: string;
}

export type Drop = (dropped: Dropped) => void;

/** A place to download the file from. The URL is whole: user info and query may be secret. */
export interface Mirror {
  url: string;
  /** Lower is better. */
  priority: number;
  /** Country (ISO 3166-1 alpha-2, lower case). */
  location?: string;
}

/** Mirrors of equal standing. */
export interface Tier {
  /** Lower is better. */
  priority: number;
  /** Country that all of them name (ISO 3166-1 alpha-2, lower case). */
  location?: string;
  urls: string[];
}

/** Another metalink that describes the file. */
export interface Metaurl {
  url: string;
  /** In one order with the mirrors': lower is better. */
  priority: number;
}

/** What a metalink document says about one file. */
export interface MetalinkFile {
  /** For logs only: it is a stranger's text, and never becomes a path. */
  name: string;
  sizeBytes?: number;
  /** Of the whole file; at most one for each algorithm. */
  digests: Digest[];
  pieces?: PieceHashes;
  /** Best first. Empty only when there are `metaurls`. */
  tiers: Tier[];
  /** Best first. */
  metaurls: Metaurl[];
  dropped: Dropped[];
}

/** What a mirror without a priority has (RFC 5854, 4.2.16.2; RFC 6249, 3.1). */
export const LOWEST_PRIORITY = 999_999;

/** 1 to 999999, lower is better; undefined for anything else. */
export function readPriority(text: string): number | undefined {
  const priority = wholeNumber(text);
  return priority !== undefined && priority >= 1 && priority <= LOWEST_PRIORITY ? priority : undefined;
}
