import type { ImageFormat } from '../../shared/images.js';

const PACKED = String.raw`(\.(gz|bz2|xz|zst|zip))?$`;

/** The suffixes that say the format, and those that say no more than that it is a disk. */
const SUFFIXES: Record<ImageFormat, readonly RegExp[]> = {
  QCOW2: [new RegExp(String.raw`\.qcow2${PACKED}`, 'i'), new RegExp(String.raw`\.img${PACKED}`, 'i')],
  RAW: [new RegExp(String.raw`\.raw${PACKED}`, 'i'), new RegExp(String.raw`\.img${PACKED}`, 'i')],
  ISO: [new RegExp(String.raw`\.iso${PACKED}`, 'i')],
};

/**
 * How well a file's name fits the registered format: lower is better. Of a document's files the one that fits best is
 * the template, and among equals the first.
 */
export function misfitOf(name: string, format: ImageFormat): number {
  const suffixes = SUFFIXES[format];
  const index = suffixes.findIndex((suffix) => suffix.test(name.slice(-20)));
  return index === -1 ? suffixes.length : index;
}
