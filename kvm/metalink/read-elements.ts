import { digestAlgorithm, DIGEST_HEX_LENGTH, type Digest } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import type { CollectedFile, Leaf, Leaves } from './collect-file.js';
import { LOWEST_PRIORITY, readPriority, type Drop, type Metaurl, type Mirror } from './metalink-file.js';
import { printable } from './printable.js';
import { refusal } from './refusal.js';
import { isMetalinkType, readLocation, readSourceUrl } from './source-url.js';
import { wholeNumber } from './whole-number.js';

const MAX_PREFERENCE = 100;
/** All URLs together: they become results of activities, of which Temporal refuses more than 2 MiB. */
const MAX_URL_CHARACTERS = 256 * 1024;

/** RFC 5854, 4.2.16.2: lower is better, absent is the lowest. Version 3: preference 0 to 100, and higher is better. */
function priorityOf(leaf: Leaf, version: 3 | 4): number | undefined {
  const text = version === 3 ? leaf.attributes.preference : leaf.attributes.priority;
  if (text === undefined) return LOWEST_PRIORITY;
  if (version === 4) return readPriority(text);
  const preference = wholeNumber(text);
  return preference !== undefined && preference <= MAX_PREFERENCE ? 1 + MAX_PREFERENCE - preference : undefined;
}

function keptOf({ kept, count }: Leaves, what: string, drop: Drop): Leaf[] {
  if (count > kept.length) drop({ what: `${count - kept.length} ${what}`, why: `only ${kept.length} are read` });
  return kept;
}

export function readSize(sizes: Leaves, drop: Drop): number | undefined {
  const values = keptOf(sizes, 'sizes', drop).flatMap(({ text }) => {
    const value = wholeNumber(text);
    if (value === undefined) drop({ what: `size "${printable(text)}"`, why: 'it is not a number of bytes' });
    return value ?? [];
  });
  const [first] = values;
  if (values.some((value) => value !== first)) {
    throw refusal('SLIPWAY_METALINK_INVALID', 'it gives the file two sizes');
  }
  return first;
}

export function readDigests(hashes: Leaves, drop: Drop): Digest[] {
  const digests = new Map<string, Digest>();
  for (const leaf of keptOf(hashes, 'hashes', drop)) {
    const type = leaf.attributes.type ?? '';
    const what = `hash of type "${printable(type)}"`;
    const algorithm = digestAlgorithm(type.slice(0, 20).trim());
    const value = leaf.text.trim().toLowerCase();
    if (!algorithm) {
      drop({ what, why: 'its algorithm is not supported' });
    } else if (value.length !== DIGEST_HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(value)) {
      drop({ what, why: `it is not ${DIGEST_HEX_LENGTH[algorithm]} hexadecimal digits` });
    } else if ((digests.get(algorithm)?.value ?? value) !== value) {
      throw refusal('SLIPWAY_METALINK_INVALID', `it gives the file two ${algorithm} hashes`);
    } else {
      digests.set(algorithm, { algorithm, value });
    }
  }
  return [...digests.values()];
}

/** Takes the URLs of one document, each once and all of them together not too long. */
function createUrlReader(version: 3 | 4, documentUrl: string, drop: Drop): (leaf: Leaf) => Metaurl | undefined {
  const seen = new Set<string>();
  let characters = 0;
  return (leaf) => {
    const type = version === 3 ? (leaf.attributes.type ?? '') : '';
    const source = readSourceUrl(leaf.text, documentUrl, type.trim().toLowerCase());
    if (!('url' in source)) {
      drop(source);
      return undefined;
    }
    const { href } = source.url;
    const what = displayUrl(source.url);
    const priority = priorityOf(leaf, version);
    if (priority === undefined) drop({ what, why: 'its priority is out of range' });
    else if (seen.has(href)) drop({ what, why: 'it was named before' });
    else if (characters + href.length > MAX_URL_CHARACTERS) drop({ what, why: 'the URLs are too long together' });
    else {
      seen.add(href);
      characters += href.length;
      return { url: href, priority };
    }
    return undefined;
  };
}

/** The sources of a file, and the other metalinks that describe it, in the order of the document. */
export function readUrls(
  file: CollectedFile,
  documentUrl: string,
  drop: Drop,
): { mirrors: Mirror[]; metaurls: Metaurl[] } {
  const read = createUrlReader(file.version, documentUrl, drop);
  const mirrors = keptOf(file.url, 'URLs', drop).flatMap((leaf): Mirror | [] => {
    const mirror = read(leaf);
    const location = readLocation(leaf.attributes.location);
    return mirror ? { ...mirror, ...(location === undefined ? {} : { location }) } : [];
  });
  const metaurls = keptOf(file.metaurl, 'metaurls', drop).flatMap((leaf): Metaurl | [] => {
    if (isMetalinkType(leaf.attributes.mediatype ?? '')) return read(leaf) ?? [];
    drop({ what: displayUrl(leaf.text.trim()), why: 'it is a description of the file that is not read' });
    return [];
  });
  return { mirrors, metaurls: metaurls.toSorted((a, b) => a.priority - b.priority) };
}
