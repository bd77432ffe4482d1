import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import type { ByteRange, SourceBody, SourceClient } from '../../kvm/download/source-client.js';
import { testSettings } from '../../kvm/download/test-support.js';
import type { DownloadProgress } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';

/** Both loopbacks are allowed, for servers that really run. */
export const realSettings = (changes: Partial<DownloadSettings> = {}): DownloadSettings =>
  testSettings({
    connectTimeoutMs: 10_000,
    socketTimeoutMs: 5_000,
    allowedInternalCidrs: ['127.0.0.0/8', '::1/128'],
    ...changes,
  });

/** All names lead here. */
export const everythingIsHere: LookupFunction = (_name, _options, callback) =>
  callback(null, [{ address: '127.0.0.1', family: 4 }]);

/** Acts once, in the middle of a download. */
export function onceAfter(bytes: number, act: () => Promise<unknown>) {
  let acting: Promise<unknown> | undefined;
  return {
    onProgress: (progress: DownloadProgress): void => {
      if (progress.bytes >= bytes) acting ??= act();
    },
    /** Fails when it was not done. */
    done: async (): Promise<void> => {
      if (!acting) throw new Error(`The download never had ${bytes} bytes`);
      await acting;
    },
  };
}

/** One body of a source, whole. */
export async function readRange(
  client: SourceClient,
  url: string,
  range?: ByteRange,
): Promise<{ body: SourceBody; bytes: Buffer }> {
  const body = await client.open(url, new AbortController().signal, range);
  const chunks: Buffer[] = [];
  await body.pump({
    write: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
    whenWritable: () => Promise.resolve(),
  });
  return { body, bytes: Buffer.concat(chunks) };
}

/** A metalink (RFC 5854) with hashes of pieces. */
export function metalinkOf(content: Buffer, pieceBytes: number, urls: readonly string[]): string {
  const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const pieces = Array.from({ length: Math.ceil(content.length / pieceBytes) }, (_, index) =>
    hash(content.subarray(index * pieceBytes, (index + 1) * pieceBytes)),
  );
  const escaped = (text: string): string => text.replaceAll('&', '&amp;');
  return `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <file name="disk.raw">
    <size>${content.length}</size>
    <hash type="sha-256">${hash(content)}</hash>
    <pieces type="sha-256" length="${pieceBytes}">${pieces.map((piece) => `<hash>${piece}</hash>`).join('')}</pieces>
    ${urls.map((url) => `<url priority="1">${escaped(url)}</url>`).join('\n    ')}
  </file>
</metalink>
`;
}
