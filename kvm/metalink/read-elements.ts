import { digestAlgorithm, DIGEST_HEX_LENGTH, type Digest } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import type { Dropped, Mirror } from './metalink-file.js';
import type { XmlElement } from './xml-tree.js';

/** Both versions of the format, reduced to where they keep what. */
export interface FileElements {
  name: string;
  sizes: XmlElement[];
  hashes: XmlElement[];
  urls: XmlElement[];
  /** Sources that are not read, such as torrents (RFC 5854, 4.2.8). */
  metaurls: XmlElement[];
  priorityOf: (url: XmlElement) => number | undefined;
}

export type Drop = (dropped: Dropped) => void;

const LOWEST_PRIORITY = 999_999;
const MAX_PREFERENCE = 100;
/** All URLs together: they become results of activities, of which Temporal refuses more than 2 MiB. */
const MAX_URL_CHARACTERS = 256 * 1024;

/** A stranger's text in a message: one line, no control characters, not long. */
export const printable = (text: string): string =>
  text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 100);

function wholeNumber(text: string): number | undefined {
  const trimmed = text.trim();
  return /^\d{1,16}$/.test(trimmed) && Number.isSafeInteger(Number(trimmed)) ? Number(trimmed) : undefined;
}

/** RFC 5854, 4.2.16.2: 1 to 999999, lower is better, absent is the lowest. */
export function priorityOfVersion4(url: XmlElement): number | undefined {
  const text = url.attributes.get('priority');
  if (text === undefined) return LOWEST_PRIORITY;
  const priority = wholeNumber(text);
  return priority !== undefined && priority >= 1 && priority <= LOWEST_PRIORITY ? priority : undefined;
}

/** Version 3: preference 0 to 100, and higher is better. */
export function priorityOfVersion3(url: XmlElement): number | undefined {
  const text = url.attributes.get('preference');
  if (text === undefined) return LOWEST_PRIORITY;
  const preference = wholeNumber(text);
  return preference !== undefined && preference <= MAX_PREFERENCE ? 1 + MAX_PREFERENCE - preference : undefined;
}

export function readSize(sizes: readonly XmlElement[], drop: Drop): number | undefined {
  const values = sizes.flatMap(({ text }) => {
    const value = wholeNumber(text);
    if (value === undefined) drop({ what: `size "${printable(text)}"`, why: 'it is not a number of bytes' });
    return value ?? [];
  });
  const [first] = values;
  if (values.some((value) => value !== first)) throw new Error('it gives the file two sizes');
  return first;
}

/** Hashes without a type belong to pieces, which are not read here. */
export function readDigests(hashes: readonly XmlElement[], drop: Drop): Digest[] {
  const digests = new Map<string, Digest>();
  for (const { attributes, text } of hashes) {
    const type = attributes.get('type') ?? '';
    const what = `hash of type "${printable(type)}"`;
    const algorithm = digestAlgorithm(type.trim());
    const value = text.trim().toLowerCase();
    if (!algorithm) {
      drop({ what, why: 'its algorithm is not supported' });
    } else if (value.length !== DIGEST_HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(value)) {
      drop({ what, why: `it is not ${DIGEST_HEX_LENGTH[algorithm]} hexadecimal digits` });
    } else if ((digests.get(algorithm)?.value ?? value) !== value) {
      throw new Error(`it gives the file two ${algorithm} hashes`);
    } else {
      digests.set(algorithm, { algorithm, value });
    }
  }
  return [...digests.values()];
}

/** The reason why a URL is no source; undefined when it is one. */
function refusalOf(url: URL, type: string): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it is neither http nor https';
  if (type === 'bittorrent' || /\.torrent$/i.test(url.pathname)) return 'it is a torrent';
  if (type !== '' && type !== 'http' && type !== 'https') return `it is of type "${printable(type)}"`;
  return undefined;
}

export function readMirrors(
  { urls, metaurls, priorityOf }: FileElements,
  documentUrl: string,
  maxUrls: number,
  drop: Drop,
): Mirror[] {
  for (const { text } of metaurls.slice(0, maxUrls)) {
    drop({ what: displayUrl(text.trim()), why: 'it is a description of the file and not the file' });
  }
  if (urls.length > maxUrls) drop({ what: `${urls.length - maxUrls} URLs`, why: `only ${maxUrls} are read` });
  const seen = new Set<string>();
  let characters = 0;
  return urls.slice(0, maxUrls).flatMap((element): Mirror | [] => {
    const text = element.text.trim();
    if (text === '' || !URL.canParse(text, documentUrl)) {
      drop({ what: 'a URL', why: 'it is not valid' });
      return [];
    }
    const url = new URL(text, documentUrl);
    const what = displayUrl(url);
    const refusal = refusalOf(url, (element.attributes.get('type') ?? '').trim().toLowerCase());
    const priority = priorityOf(element);
    if (refusal !== undefined) drop({ what, why: refusal });
    else if (priority === undefined) drop({ what, why: 'its priority is out of range' });
    else if (seen.has(url.href)) drop({ what, why: 'it was named before' });
    else if (characters + url.href.length > MAX_URL_CHARACTERS) drop({ what, why: 'the URLs are too long together' });
    else {
      seen.add(url.href);
      characters += url.href.length;
      const location = (element.attributes.get('location') ?? '').trim().toLowerCase();
      return { url: url.href, priority, ...(/^[a-z]{2}$/.test(location) ? { location } : {}) };
    }
    return [];
  });
}
