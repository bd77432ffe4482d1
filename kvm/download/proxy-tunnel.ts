import { connect, type Socket } from 'node:net';
import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import { hostOf, portOf } from './endpoint.js';

const MAX_HEAD_BYTES = 16 * 1024;

/** Credentials of a proxy's URL (RFC 7617), for `Proxy-Authorization`. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === '' && proxy.password === '') return undefined;
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/**
 * A connection to `authority` (`host:port`) through a proxy (RFC 9110, 9.3.6). `onSocket` gets the connection as soon as
 * it is being made.
 *
 * @throws SlipwayError SLIPWAY_SOURCE_PROXY
 */
export async function openTunnel(proxy: URL, authority: string, onSocket: (socket: Socket) => void): Promise<Socket> {
  const failure = (why: string, cause?: unknown): SlipwayError =>
    new SlipwayError('SLIPWAY_SOURCE_PROXY', `The proxy ${displayUrl(proxy)} ${why}`, { cause });
  const socket = connect({ host: hostOf(proxy), port: portOf(proxy) });
  onSocket(socket);
  const authorization = proxyAuthorization(proxy);
  socket.write(
    [
      `CONNECT ${authority} HTTP/1.1`,
      `Host: ${authority}`,
      ...(authorization === undefined ? [] : [`Proxy-Authorization: ${authorization}`]),
      '\r\n',
    ].join('\r\n'),
  );
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const settle = (error?: SlipwayError): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
      if (!error) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error): void => settle(failure('cannot be reached', error));
    const onClose = (): void => settle(failure('closed the connection'));
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return head.length > MAX_HEAD_BYTES ? settle(failure('answered with nonsense')) : undefined;
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, end))?.[1];
      if (status === undefined || !status.startsWith('2')) return settle(failure(`answered ${status ?? 'nonsense'}`));
      // The server speaks only after our side of the handshake: what came with the head is not its.
      if (end + 4 < head.length) return settle(failure('answered with nonsense'));
      socket.pause();
      settle();
    };
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}
