import { digestAlgorithm, DIGEST_HEX_LENGTH, type Digest, type DigestAlgorithm } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import { parseLinks, type WebLink } from './link-syntax.js';
import { LOWEST_PRIORITY, readPriority, type Drop, type Dropped, type Mirror } from './metalink-file.js';
import { printable } from './printable.js';
import { isMetalinkType, readLocation, readSourceUrl } from './source-url.js';
import { wholeNumber } from './whole-number.js';

/** Far above what servers and proxies let through, and soon read. */
const MAX_CHARACTERS = 64 * 1024;
const MAX_LINKS = 100;
const MAX_DIGEST_CHARACTERS = 4 * 1024;

/** A mirror of the answered file (RFC 6249, 3). */
export interface LinkedMirror extends Mirror {
  /** Whether it gives the file the same ETag, or the same digest, as the answering server (RFC 6249, 3.3). */
  hasPref: boolean;
  /** How many segments of the path, from its end, are mirrored as a whole (RFC 6249, 3.4). */
  depth?: number;
}

export interface LinkHeaders {
  /** In the order of the headers. */
  mirrors: LinkedMirror[];
  /** URLs of metalink documents that describe the file. */
  metalinks: string[];
  dropped: Dropped[];
}

const relationsOf = ({ parameters }: WebLink): string[] => (parameters.get('rel') ?? '').toLowerCase().split(/\s+/);

function readMirror(url: URL, { parameters }: WebLink): LinkedMirror | undefined {
  const priority = parameters.has('pri') ? readPriority(parameters.get('pri') ?? '') : LOWEST_PRIORITY;
  if (priority === undefined) return undefined;
  const location = readLocation(parameters.get('geo'));
  const depth = wholeNumber(parameters.get('depth') ?? '');
  return {
    url: url.href,
    priority,
    ...(location === undefined ? {} : { location }),
    hasPref: parameters.has('pref'),
    ...(depth === undefined ? {} : { depth }),
  };
}

/** Links with an anchor speak of another resource than the one that was asked for (RFC 8288, 3.2). */
function readLinks(values: readonly string[], drop: Drop): { link: WebLink; isMirror: boolean }[] {
  let characters = 0;
  const links = values.flatMap((value) => {
    characters += value.length;
    return characters > MAX_CHARACTERS ? [] : parseLinks(value);
  });
  if (characters > MAX_CHARACTERS) drop({ what: 'Link headers', why: `only ${MAX_CHARACTERS} characters are read` });
  const relevant = links.flatMap((link) => {
    const relations = relationsOf(link);
    const isMirror = relations.includes('duplicate');
    const isMetalink = relations.includes('describedby') && isMetalinkType(link.parameters.get('type') ?? '');
    return (isMirror || isMetalink) && !link.parameters.has('anchor') ? { link, isMirror } : [];
  });
  if (relevant.length > MAX_LINKS) {
    drop({ what: `${relevant.length - MAX_LINKS} links`, why: `only ${MAX_LINKS} are read` });
  }
  return relevant.slice(0, MAX_LINKS);
}

/**
 * Mirrors and metalinks that an answer names in its `Link` headers (RFC 6249; syntax: RFC 8288). Links of other
 * relations are none of its business and not reported. Whether mirrors may be used is the caller's to decide: not
 * without a hash of the whole file, and not when a mirror told them (RFC 6249, 2 and 7).
 *
 * @param values of all `Link` headers of one answer
 * @param baseUrl where the answer came from
 */
export function readLinkHeaders(values: readonly string[], baseUrl: string): LinkHeaders {
  const dropped: Dropped[] = [];
  const drop: Drop = ({ what, why }) => void dropped.push({ what: printable(what), why });
  const mirrors: LinkedMirror[] = [];
  const metalinks = new Set<string>();
  // A server that names itself would be asked without end (RFC 6249, 2).
  const seen = new Set([new URL(baseUrl).href]);
  for (const { link, isMirror } of readLinks(values, drop)) {
    const source = readSourceUrl(link.target, baseUrl);
    if (!('url' in source)) {
      drop(source);
      continue;
    }
    const what = displayUrl(source.url);
    const { href } = source.url;
    const mirror = isMirror ? readMirror(source.url, link) : undefined;
    if (seen.has(href)) drop({ what, why: 'it was named before, or is what answered' });
    else if (!isMirror) metalinks.add(href);
    else if (!mirror) drop({ what, why: 'its priority is out of range' });
    else mirrors.push(mirror);
    seen.add(href);
  }
  return { mirrors, metalinks: [...metalinks], dropped };
}

/** Members of a list, cut at the commas that are not inside quotes. */
const listMembers = (values: readonly string[]): string[] =>
  values
    .join(',')
    .slice(0, MAX_DIGEST_CHARACTERS)
    .match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g) ?? [];

function toDigest(name: string, base64: string): Digest | undefined {
  const algorithm = name.trim().toUpperCase() === 'SHA' ? 'SHA-1' : digestAlgorithm(name.trim());
  if (!algorithm || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const value = Buffer.from(base64, 'base64').toString('hex');
  return value.length === DIGEST_HEX_LENGTH[algorithm] ? { algorithm, value } : undefined;
}

/**
 * Hashes of the whole file from `Digest` (RFC 3230) and `Repr-Digest` (RFC 9530) headers. An algorithm for which they
 * give two hashes is left out: such a server vouches for nothing.
 */
export function readDigestHeaders(headers: { digest: readonly string[]; reprDigest: readonly string[] }): Digest[] {
  const told = [
    ...listMembers(headers.digest).map((member) => /^([^=]+)=([^;]*)/.exec(member)),
    ...listMembers(headers.reprDigest).map((member) => /^([^=]+)=:([^:]*):/.exec(member)),
  ].flatMap((match) => toDigest(match?.[1] ?? '', match?.[2]?.trim() ?? '') ?? []);
  const byAlgorithm = new Map<DigestAlgorithm, Set<string>>();
  for (const { algorithm, value } of told) {
    byAlgorithm.set(algorithm, (byAlgorithm.get(algorithm) ?? new Set()).add(value));
  }
  return [...byAlgorithm].flatMap(([algorithm, values]) => {
    const [value, ...others] = values;
    return value !== undefined && others.length === 0 ? { algorithm, value } : [];
  });
}
