import { SlipwayError } from '../../shared/errors.js';
import { displayUrl } from '../../shared/display-url.js';
import type { HttpResponse } from './http-exchange.js';

/** Ends a transfer of which enough has arrived. */
class EnoughError extends Error {
  override readonly name = 'EnoughError';
}

/** The first `bytes` of a body, or less if it is shorter. The rest is given up with its connection. */
export async function readStart(response: HttpResponse, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    await response.pump({
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
 * @throws SlipwayError SLIPWAY_METALINK_INVALID when it is longer than `maxBytes`, which are a document's
 */
export async function readDocument(response: HttpResponse, maxBytes: number): Promise<Buffer> {
  const body = await readStart(response, maxBytes + 1);
  if (body.length > maxBytes) {
    throw new SlipwayError(
      'SLIPWAY_METALINK_INVALID',
      `${displayUrl(response.url)}: the document is longer than ${maxBytes} bytes`,
    );
  }
  return body;
}
