import type { IncomingHttpHeaders } from 'node:http';

/** What tells whether bytes come from the same version of the same file. Kept in the journal: free of secrets. */
export interface SourceIdentity {
  /** Without user info and query. */
  url: string;
  /** Strong ones only: a weak ETag allows other bytes (RFC 9110, 8.8.1). */
  etag?: string;
  lastModified?: string;
  totalBytes?: number;
}

export function sourceIdentity(url: string, headers: IncomingHttpHeaders, totalBytes?: number): SourceIdentity {
  const etag = headers.etag;
  const lastModified = headers['last-modified'];
  return {
    url,
    ...(etag !== undefined && etag.startsWith('"') ? { etag } : {}),
    ...(lastModified !== undefined ? { lastModified } : {}),
    ...(totalBytes !== undefined ? { totalBytes } : {}),
  };
}

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
