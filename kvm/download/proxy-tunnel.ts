import { connect, type Socket } from 'node:net';
import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import { basicAuthorization } from './basic-authorization.js';
import { hostOf, portOf } from './endpoint.js';

const MAX_HEAD_BYTES = 16 * 1024;

/** The proxy is to blame, and `url` is what it was asked for. */
export const proxyFailure = (url: URL, proxy: URL, why: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_PROXY', `${displayUrl(url)}: the proxy ${proxy.host} ${why}`, { cause });

/**
 * A connection to the server of `url` through a proxy (RFC 9110, 9.3.6). `onSocket` gets the connection as soon as it is
 * being made.
 *
 * @throws SlipwayError SLIPWAY_SOURCE_PROXY
 */
export async function openTunnel(proxy: URL, url: URL, onSocket: (socket: Socket) => void): Promise<Socket> {
  const failure = (why: string, cause?: unknown): SlipwayError => proxyFailure(url, proxy, why, cause);
  const authority = `${url.hostname}:${portOf(url)}`;
  const socket = connect({ host: hostOf(proxy), port: portOf(proxy) });
  onSocket(socket);
  const authorization = basicAuthorization(proxy);
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
