import { createHash } from 'node:crypto';
import { type Digest, formatDigest } from '../../shared/checksum.js';
import { usageError } from './usage-error.js';

/** What does not belong to the name of what comes out. */
const METALINK_SUFFIX = /\.(?:meta4|metalink)$/i;
const COMPRESSION_SUFFIX = /\.(?:gz|bz2|xz|zst|zip)$/i;
/** Neither a path, nor an option, nor hidden, nor too long for the files beside it. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

export function checkFileName(name: string): string {
  if (FILE_NAME.test(name)) return name;
  throw usageError(
    '--name has to be a file name of letters, digits, ".", "_" and "-" that begins with none of the last two, of at most 200 characters',
  );
}

/**
 * The name of an image by its URL: the last part of the path, without the suffix of a metalink and of a compression.
 * Whatever is no letter, digit, `.`, `_` or `-` becomes `-`, so that a URL never makes a path (CVE-2026-25077).
 */
export function fileNameOf(url: string): string {
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  const name = last
    .replace(METALINK_SUFFIX, '')
    .replace(COMPRESSION_SUFFIX, '')
    // Each sign of an encoded one alone would say nothing.
    .replace(/(?:%[0-9A-Fa-f]{2})+|[^A-Za-z0-9._-]/g, '-')
    .replace(/^[.-]+/, '');
  if (FILE_NAME.test(name)) return name;
  throw usageError('The URL does not end in a usable file name: give one with --name');
}

/**
 * Where an image is downloaded to, beside its final place: hidden, and the same for the same URL and checksum, so that a
 * second run goes on. Another checksum means other bytes.
 */
export function partialNameOf(url: string, checksum: Digest | undefined): string {
  const hash = createHash('sha256').update(JSON.stringify([url, checksum ? formatDigest(checksum) : '']));
  return `.slipway-image.${hash.digest('hex').slice(0, 24)}.partial`;
}
