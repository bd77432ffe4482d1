import type { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls';
import type { TrustAnchors } from '../keystore/trust.js';
import { hostOf, portOf } from './endpoint.js';
import { openTunnel, proxyFailure } from './proxy-tunnel.js';
import { explainTlsFailure, isUnsigned, isWrongSignature, presentedChain } from './tls-failure.js';
import { Wire } from './wire.js';

export interface Route {
  url: URL;
  /** Name resolution of the server, the URL policy included. */
  lookup: LookupFunction;
  /** What the server's certificate is checked against. */
  anchors: TrustAnchors;
  /** The server is reached through it, and it resolves the name. */
  proxy?: URL | undefined;
}

export interface OpeningWire {
  ready: Promise<Wire>;
  /** Ends the connection, also while it is being made. */
  destroy(): void;
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('The connection ended'), { code: 'ECONNRESET' })));
    socket.once(event, () => resolve());
  });
}

/** Makes the connection for requests to a server. It has to be bounded in time by the caller. */
export function openWire({ url, lookup, anchors, proxy }: Route): OpeningWire {
  const host = hostOf(url);
  const isSecure = url.protocol === 'https:';
  let current: Socket | undefined;
  let isDestroyed = false;
  let presented: readonly X509Certificate[] = [];

  const tls = (secureContext: SecureContext | undefined, onread?: OnReadOpts, under?: Socket): Socket => {
    const options = {
      // An address is no server name, and a name has no dot at its end (RFC 6066, 3); the certificate is checked against the
      // host all the same.
      ...(isIP(host) === 0 ? { servername: host.replace(/\.$/, '') } : {}),
      host,
      ALPNProtocols: ['http/1.1'],
      ...(secureContext ? { secureContext } : {}),
      ...(under ? { socket: under } : { port: portOf(url), lookup }),
      onread,
    };
    // Missing in the types, and documented for `connect` of node:tls all the same.
    const socket = connectTls(options as ConnectionOptions);
    // Before Node's own listener, which checks the certificate and, when it refuses, lets nobody see it any more. The
    // event is not documented; without it messages say less, and no more than they do is lost.
    socket.prependOnceListener('secure', () => (presented = presentedChain(socket)));
    return socket;
  };
  const wireOf = async (
    open: (onread: OnReadOpts) => Socket,
    event: 'connect' | 'secureConnect',
    takesMemory = true,
  ): Promise<Wire> => {
    const wire = new Wire(open, takesMemory);
    current = wire.socket;
    await connected(wire.socket, event);
    return wire;
  };
  const make = async (secureContext: SecureContext | undefined): Promise<Wire> => {
    if (!proxy) {
      return isSecure
        ? wireOf((onread) => tls(secureContext, onread), 'secureConnect')
        : wireOf((onread) => connectTcp({ host, port: portOf(url), lookup, onread }), 'connect');
    }
    // Plain requests go to the proxy itself, which is told the whole URL.
    if (!isSecure) {
      const open = (onread: OnReadOpts): Socket => connectTcp({ host: hostOf(proxy), port: portOf(proxy), onread });
      return wireOf(open, 'connect').catch((error: unknown) => {
        throw proxyFailure(url, proxy, 'cannot be reached', error);
      });
    }
    const tunnel = await openTunnel(proxy, url, (socket) => (current = socket));
    if (isDestroyed) tunnel.destroy();
    return wireOf(() => tls(secureContext, undefined, tunnel), 'secureConnect', false);
  };
  const makeWithSome = async (): Promise<Wire> => {
    try {
      return await make(anchors.secureContext);
    } catch (failure) {
      if (!isWrongSignature(failure)) throw failure;
      for (const alternative of anchors.alternatives) {
        if (isDestroyed) break;
        try {
          return await make(alternative());
        } catch (error) {
          // With the right one something else may be wrong, as that it has expired.
          if (!isUnsigned(error)) throw error;
        }
      }
      throw failure;
    }
  };
  return {
    ready: makeWithSome().catch((error: unknown) => {
      throw explainTlsFailure(error, { host, presented, anchors });
    }),
    destroy: () => {
      isDestroyed = true;
      current?.destroy();
    },
  };
}
