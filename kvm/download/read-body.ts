import { SlipwayError } from '../../shared/errors.js';
import { displayUrl } from '../../shared/display-url.js';
import type { SourceBody } from './source-client.js';

/** Ends a transfer of which enough has arrived. */
class EnoughError extends Error {
  override readonly name = 'EnoughError';
}

/** The first `bytes` of a body, or less if it is shorter. The rest is given up with its connection. */
export async function readStart(body: SourceBody, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    await body.pump({
      write(chunk) {
        // Copied: the buffer of the socket is used again.
        chunks.push(Buffer.from(chunk));
        length += chunk.length;
        if (length >= bytes) throw new EnoughError();
        return true;
      },
      whenWritable: () => Promise.resolve(),
    });
  } catch (error) {
    if (!(error instanceof EnoughError)) throw error;
  }
  return Buffer.concat(chunks).subarray(0, bytes);
}

/**
 * A whole small body.
 *
 * @throws SlipwayError SLIPWAY_METALINK_TOO_LARGE when it is longer than `maxBytes`, which are a document's
 */
export async function readDocument(body: SourceBody, maxBytes: number): Promise<Buffer> {
  const document = await readStart(body, maxBytes + 1);
  if (document.length > maxBytes) {
    throw new SlipwayError(
      'SLIPWAY_METALINK_TOO_LARGE',
      `${displayUrl(body.url)}: the document is longer than ${maxBytes} bytes`,
    );
  }
  return document;
}
