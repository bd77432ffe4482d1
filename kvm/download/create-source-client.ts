import { createNfsClient } from '../nfs/nfs-client.js';
import { createHttpClient, type SourceClientOptions } from './http-client.js';
import type { SourceClient } from './source-client.js';

/** One client for all schemes that an image may be read from. */
export function createSourceClient(options: SourceClientOptions): SourceClient {
  const http = createHttpClient(options);
  const nfs = createNfsClient(options);
  return {
    open: (url, signal, range) => (url.startsWith('nfs:') ? nfs : http).open(url, signal, range),
    close: () => {
      http.close();
      nfs.close();
    },
  };
}
