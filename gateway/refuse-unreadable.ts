import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { SlipwayError } from '../shared/errors.js';
import { apiErrorOf } from './protocol/api-error.js';
import { renderAnswer } from './protocol/envelope.js';

const TEXTS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: 'The query and headers are too long: send parameters as a form, by POST',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time',
};

/** Answers on the bare socket what is no request: too long, too slow, or not HTTP. Node's own answer has no body. */
export function refuseUnreadable(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const text = TEXTS[error.code] ?? 'This is no HTTP request that can be read';
  const failure = apiErrorOf(new SlipwayError('SLIPWAY_REQUEST_MALFORMED', text), '');
  // The bytes that Node could not read: a Buffer, whatever the type says, and none when the time was over.
  const unread = (error.rawPacket as unknown as Buffer | undefined)?.toString('latin1') ?? '';
  const format = /[?&]response=json\b/i.test(unread) ? 'json' : undefined;
  const { contentType, body } = renderAnswer(format, 'errorresponse', failure);
  socket.end(
    [
      `HTTP/1.1 ${failure.errorcode} Malformed`,
      `content-type: ${contentType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-description: ${text}`,
      'cache-control: no-store',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  // Whoever goes on sending, and never reads, does not keep the socket.
  socket.resume();
  socket.setTimeout(1_000, () => socket.destroy());
}
