import { displayUrl } from '../../shared/display-url.js';
import { printable } from './printable.js';

/** Longer ones are no URLs that anybody serves, and servers refuse them. */
const MAX_URL_CHARACTERS = 8_192;

const SCHEMES = new Set(['http:', 'https:', 'nfs:']);
const TYPES = new Set(['', 'http', 'https', 'nfs']);

export type SourceUrl = { url: URL } | { what: string; why: string };

/**
 * Takes a stranger's URL for a source, or says why it is none.
 *
 * @param type what version 3 says that the URL leads to; empty when it says nothing
 */
export function readSourceUrl(text: string, baseUrl: string, type = ''): SourceUrl {
  if (text.length > MAX_URL_CHARACTERS)
    return { what: 'a URL', why: `it is longer than ${MAX_URL_CHARACTERS} characters` };
  const trimmed = text.trim();
  if (trimmed === '' || !URL.canParse(trimmed, baseUrl)) return { what: 'a URL', why: 'it is not valid' };
  const url = new URL(trimmed, baseUrl);
  const what = displayUrl(url);
  if (!SCHEMES.has(url.protocol)) return { what, why: 'it is none of http, https and nfs' };
  // Of the three schemes, only nfs: URLs can be without one.
  if (url.hostname === '') return { what, why: 'it names no server' };
  if (type === 'bittorrent' || /\.torrent$/i.test(url.pathname)) return { what, why: 'it is a torrent' };
  if (!TYPES.has(type)) return { what, why: `it is of type "${printable(type)}"` };
  return { url };
}

/** Whether a media type is that of a metalink, of either version. Its parameters do not matter. */
export const isMetalinkType = (mediaType: string): boolean =>
  /^\s*application\/metalink4?\+xml\s*(;|$)/i.test(mediaType.slice(0, 200));

/** ISO 3166-1 alpha-2 in lower case; undefined for anything else. Feeds write it in either case. */
export function readLocation(text: string | undefined): string | undefined {
  const location = (text ?? '').slice(0, 20).trim().toLowerCase();
  return /^[a-z]{2}$/.test(location) ? location : undefined;
}
