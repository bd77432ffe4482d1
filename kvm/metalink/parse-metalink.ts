import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { toTiers, type Dropped, type MetalinkFile } from './metalink-file.js';
import {
  printable,
  priorityOfVersion3,
  priorityOfVersion4,
  readDigests,
  readMirrors,
  readSize,
  type FileElements,
} from './read-elements.js';
import { parseXml, type XmlElement } from './xml-tree.js';

const VERSION_4 = 'urn:ietf:params:xml:ns:metalink';
const VERSION_3 = 'http://www.metalinker.org/';

export const MAX_METALINK_BYTES = 1024 * 1024;
const MAX_FILES = 1_000;
const MAX_URLS = 1_000;
/** The rest of what was not used is not told: a document may be nothing but that. */
const MAX_DROPPED = 1_000;

const SUFFIXES: Record<ImageFormat, RegExp> = {
  QCOW2: /\.(qcow2|img)(\.(gz|bz2|xz|zst|zip))?$/i,
  RAW: /\.(raw|img)(\.(gz|bz2|xz|zst|zip))?$/i,
  ISO: /\.iso(\.(gz|bz2|xz|zst|zip))?$/i,
};

export interface MetalinkContext {
  /** Relative URLs of the document start from it. */
  documentUrl: string;
  /** Chooses among several files. */
  format: ImageFormat;
}

/** Children of the parent's own vocabulary: foreign markup may use the same names for other things. */
const childrenNamed = (parent: XmlElement, name: string): XmlElement[] =>
  parent.children.filter((child) => child.name === name && child.namespace === parent.namespace);

const nameOf = (file: XmlElement): string => printable(file.attributes.get('name') ?? '');

const version4 = (file: XmlElement): FileElements => ({
  name: nameOf(file),
  sizes: childrenNamed(file, 'size'),
  hashes: childrenNamed(file, 'hash'),
  urls: childrenNamed(file, 'url'),
  metaurls: childrenNamed(file, 'metaurl'),
  priorityOf: priorityOfVersion4,
});

const version3 = (file: XmlElement): FileElements => ({
  name: nameOf(file),
  sizes: childrenNamed(file, 'size'),
  hashes: childrenNamed(file, 'verification').flatMap((element) => childrenNamed(element, 'hash')),
  urls: childrenNamed(file, 'resources').flatMap((element) => childrenNamed(element, 'url')),
  metaurls: [],
  priorityOf: priorityOfVersion3,
});

function readFiles(root: XmlElement): FileElements[] {
  if (root.name !== 'metalink') throw new Error(`its root element is "${printable(root.name)}" and not "metalink"`);
  // Documents without a namespace exist; their structure tells the version.
  const isVersion3 = root.namespace === VERSION_3 || (root.namespace === '' && childrenNamed(root, 'files').length > 0);
  if (!isVersion3 && root.namespace !== VERSION_4 && root.namespace !== '') {
    throw new Error('its namespace is not that of a metalink');
  }
  const elements = isVersion3
    ? childrenNamed(root, 'files').flatMap((files) => childrenNamed(files, 'file'))
    : childrenNamed(root, 'file');
  if (elements.length === 0) throw new Error('it describes no file');
  if (elements.length > MAX_FILES) throw new Error(`it describes more than ${MAX_FILES} files`);
  return elements.map(isVersion3 ? version3 : version4);
}

function decodeText(document: Buffer | string): string {
  if (Buffer.byteLength(document) > MAX_METALINK_BYTES) {
    throw new Error(`it is longer than ${MAX_METALINK_BYTES} bytes`);
  }
  if (typeof document === 'string') return document;
  try {
    // Drops a byte order mark, too.
    return new TextDecoder('utf-8', { fatal: true }).decode(document);
  } catch {
    throw new Error('it is not UTF-8');
  }
}

function parse(document: Buffer | string, { documentUrl, format }: MetalinkContext): MetalinkFile {
  const dropped: Dropped[] = [];
  const drop = ({ what, why }: Dropped): void => {
    if (dropped.length < MAX_DROPPED) dropped.push({ what: printable(what), why });
  };
  const files = readFiles(parseXml(decodeText(document)));
  const file = files.find(({ name }) => SUFFIXES[format].test(name)) ?? (files[0] as FileElements);
  for (const other of files) {
    if (other !== file) drop({ what: `file "${other.name}"`, why: `"${file.name}" was chosen` });
  }
  const sizeBytes = readSize(file.sizes, drop);
  const digests = readDigests(file.hashes, drop);
  const tiers = toTiers(readMirrors(file, documentUrl, MAX_URLS, drop));
  if (tiers.length === 0) throw new Error(`its file "${file.name}" has no http or https URL that can be used`);
  return { name: file.name, ...(sizeBytes === undefined ? {} : { sizeBytes }), digests, tiers, dropped };
}

/**
 * Reads a metalink document, version 4 (RFC 5854) or 3: one file, its size, the hashes of the whole of it, and its
 * mirrors. Elements that are not valid are dropped with a reason; a document that contradicts itself is refused.
 *
 * @throws SlipwayError SLIPWAY_METALINK_INVALID
 */
export function parseMetalink(document: Buffer | string, context: MetalinkContext): MetalinkFile {
  try {
    return parse(document, context);
  } catch (cause) {
    const why = cause instanceof Error ? printable(cause.message) : 'it cannot be read';
    throw new SlipwayError('SLIPWAY_METALINK_INVALID', `The metalink document is not valid: ${why}`, { cause });
  }
}
