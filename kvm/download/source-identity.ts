import type { SourceBody } from './source-client.js';

/** What tells whether bytes come from the same version of the same file. Kept in the journal: free of secrets. */
export interface SourceIdentity {
  /** Without user info and query. */
  url: string;
  /** Strong ones only: a weak ETag allows other bytes (RFC 9110, 8.8.1). */
  etag?: string | undefined;
  lastModified?: string | undefined;
  totalBytes?: number | undefined;
}

export const identityOf = (url: string, { etag, lastModified, totalBytes }: SourceBody): SourceIdentity => ({
  url,
  etag,
  lastModified,
  totalBytes,
});

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
