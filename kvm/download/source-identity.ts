import { displayUrl } from '../../shared/display-url.js';
import type { SourceBody } from './source-client.js';

/** What tells whether bytes come from the same version of the same file. Kept in the journal: free of secrets. */
export interface SourceIdentity {
  /** Without user info and query. */
  url: string;
  /** Where redirects led, without user info and query. */
  place?: string | undefined;
  /** Strong ones only: a weak ETag allows other bytes (RFC 9110, 8.8.1). */
  etag?: string | undefined;
  lastModified?: string | undefined;
  totalBytes?: number | undefined;
}

export const identityOf = (shownUrl: string, body: SourceBody): SourceIdentity => ({
  url: shownUrl,
  place: displayUrl(body.url),
  etag: body.etag,
  lastModified: body.lastModified,
  totalBytes: body.totalBytes,
});

/**
 * Whether other validators may well be those of the same bytes: a redirect led to another mirror this time, or several
 * servers behind one name agree on date and size and each make an ETag of their own. Good enough where a hash has the
 * last word; a download that began anew each time would never end.
 */
export const mayBeSameBytes = (held: SourceIdentity, offered: SourceIdentity): boolean =>
  held.totalBytes === offered.totalBytes &&
  (held.place !== offered.place || (held.lastModified !== undefined && held.lastModified === offered.lastModified));

/** Whether both name one version by a validator that both have; undefined when they share none. */
export function isSameVersion(held: SourceIdentity, offered: SourceIdentity): boolean | undefined {
  if (held.etag !== undefined && offered.etag !== undefined) return held.etag === offered.etag;
  if (held.totalBytes !== undefined && offered.totalBytes !== undefined && held.totalBytes !== offered.totalBytes) {
    return false;
  }
  if (held.lastModified !== undefined && offered.lastModified !== undefined) {
    return held.lastModified === offered.lastModified;
  }
  return undefined;
}

/** What `If-Range` can be asked with. A date has a resolution of a second: it is good enough beside a size. */
export const validatorOf = ({ etag, lastModified, totalBytes }: SourceIdentity): string | undefined =>
  etag ?? (totalBytes === undefined ? undefined : lastModified);
