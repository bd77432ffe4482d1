import type { IncomingHttpHeaders } from 'node:http';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import { abortError } from './abort.js';
import { transportFailure } from './classify-failure.js';
import { DirectSocket } from './direct-socket.js';

/** Takes the bytes of a body as they arrive. */
export interface ByteSink {
  /**
   * Must be done with `chunk` when it returns. `false` asks for a pause: nothing is written until `whenWritable`
   * resolves. What it throws ends the transfer.
   */
  write(chunk: Buffer): boolean;
  whenWritable(): Promise<void>;
  /** For sinks that let the kernel fill their memory. */
  direct?: {
    /** Memory for the next bytes; undefined when there is none now, and `write` has to be used. */
    reserve(): Uint8Array | undefined;
    /** So many bytes were put at the start of what was reserved last. What it throws ends the transfer. */
    commit(bytes: number): void;
  };
}

export interface HttpResponse {
  /** Where the answer came from, after redirects. */
  url: URL;
  statusCode: number;
  headers: IncomingHttpHeaders;
  /**
   * Moves the body into `sink`. Resolves at its end.
   *
   * @throws SlipwayError of a broken transfer; what the sink threw; AbortError
   */
  pump(sink: ByteSink): Promise<void>;
  /** Gives up the body, and the connection with it. */
  discard(): void;
}

interface ExchangeOptions {
  url: URL;
  headers: Record<string, string>;
  lookup: LookupFunction;
  /** All certificates to trust; the public roots by default. */
  ca?: string[] | undefined;
  connectTimeoutMs: number;
  /** Longest wait for the answer to begin, and longest silence in the body. */
  socketTimeoutMs: number;
  signal: AbortSignal;
}

/** A connection that is being made. Name resolution is `lookup`'s alone. */
function openConnection({ url, lookup, ca }: ExchangeOptions): DirectSocket | TLSSocket {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'http:') return new DirectSocket({ host, port: Number(url.port || 80), lookup });
  return connectTls({
    host,
    port: Number(url.port || 443),
    lookup,
    // An address is no server name (RFC 6066, 3); the certificate is checked against the host all the same.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    ...(ca ? { ca } : {}),
  }).setNoDelay(true);
}

/** Of a header that comes twice the first holds, as in Node's own client; undici makes a list of both. */
const firstValues = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));

/** The length that frames the body, when nothing but it does (RFC 9112, 6.3). */
function framedLength(headers: IncomingHttpHeaders): number | undefined {
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || length === undefined || !/^\d{1,15}$/.test(length))
    return undefined;
  return Number(length);
}

/** One GET, one answer, no redirects, on a connection of its own. */
export function exchange(options: ExchangeOptions): Promise<HttpResponse> {
  const { url, headers, connectTimeoutMs, socketTimeoutMs, signal } = options;
  return new Promise<HttpResponse>((resolveResponse, rejectResponse) => {
    if (signal.aborted) return rejectResponse(abortError(signal));
    let connection: DirectSocket | TLSSocket | undefined;
    /** The same, when its body can be split off. */
    let socket: DirectSocket | undefined;
    let failure: Error | undefined;
    let isEnded = false;
    /** Where undici's own body goes, once it is asked for. */
    let streamSink: ByteSink | undefined;
    /** Of a body with a length. */
    let remainingBytes: number | undefined;
    let settleBody: (error?: Error) => void = () => undefined;

    const end = (error?: Error): void => {
      if (isEnded) return;
      isEnded = true;
      failure = error;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // What it says to that has been said here already.
      client.destroy().catch(() => undefined);
      // undici does not end a connection that is still being made: a server that never ends its handshake kept it open.
      connection?.destroy();
      if (error) rejectResponse(error);
      settleBody(error);
    };
    const fail = (error: unknown): void => end(transportFailure(url, error));
    const failSilent = (code: string) => (): void => fail({ code });
    const onAbort = (): void => end(abortError(signal));

    let timer = setTimeout(failSilent('SILENT_CONNECT'), connectTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const connect: buildConnector.connector = (_target, callback) => {
      const opened = openConnection(options);
      connection = opened;
      socket = opened instanceof DirectSocket ? opened : undefined;
      const onFailure = (error: Error): void => callback(error, null);
      opened.once('error', onFailure);
      opened.once(socket ? 'connect' : 'secureConnect', () => {
        opened.off('error', onFailure);
        clearTimeout(timer);
        timer = setTimeout(failSilent('SILENT_ANSWER'), socketTimeoutMs);
        // undici knows sockets by the interface of a stream, which both have.
        callback(null, opened as unknown as Socket);
      });
    };
    // Silence is counted here, where it is known whether the sink would take bytes.
    const client = new Client(url.origin, {
      connect,
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
    });

    const onResponse = (
      controller: Dispatcher.DispatchController,
      statusCode: number,
      received: IncomingHttpHeaders,
    ) => {
      clearTimeout(timer);
      // Nothing of the body moves before it is asked for.
      controller.pause();
      const pump = async (sink: ByteSink): Promise<void> => {
        if (failure) throw failure;
        const watched = watchSink(sink, socketTimeoutMs, failSilent('SILENT_BODY'), end);
        const body = new Promise<void>((resolve, reject) => {
          settleBody = (error) => (error ? reject(error) : resolve());
        });
        remainingBytes = framedLength(received);
        if (socket?.isHeld && remainingBytes !== undefined && remainingBytes > 0) {
          socket.direct(watched.sink, remainingBytes).then(() => end(), fail);
        } else {
          streamSink = watched.sink;
          socket?.stream();
          controller.resume();
        }
        try {
          await body;
        } finally {
          watched.stop();
        }
      };
      resolveResponse({
        url,
        statusCode,
        headers: firstValues(received),
        pump,
        discard: () => end(new Error('The body was discarded')),
      });
    };
    client.dispatch(
      { method: 'GET', path: `${url.pathname}${url.search}`, headers },
      {
        // Its presence tells undici which kind of handler this is.
        onRequestStart: () => undefined,
        onResponseStart(controller, statusCode, received) {
          // An informational answer: another head follows. Not at once, for the parser is still inside this one.
          if (statusCode < 200) setImmediate(() => socket?.nextHead());
          else onResponse(controller, statusCode, received);
        },
        onResponseData(controller, chunk) {
          try {
            if (!streamSink) return;
            const isReady = streamSink.write(chunk);
            if (remainingBytes !== undefined) remainingBytes -= chunk.length;
            // Not left to the parser: paused here, it takes a server that closes now for one that broke off.
            if (remainingBytes === 0) return end();
            if (isReady) return;
            controller.pause();
            streamSink.whenWritable().then(() => controller.resume(), fail);
          } catch (error) {
            fail(error);
          }
        },
        onResponseEnd: () => end(),
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

/**
 * Counts silence only while the sink would take bytes: a slow disk is not the fault of the source. What the sink
 * throws goes to `onFailure` as it is, so that it cannot be taken for a failure of the transfer.
 */
function watchSink(
  sink: ByteSink,
  timeoutMs: number,
  onSilence: () => void,
  onFailure: (error: Error) => void,
): { sink: ByteSink; stop: () => void } {
  let waiting = 0;
  const timer = setTimeout(() => (waiting > 0 ? timer.refresh() : onSilence()), timeoutMs);
  const guard = <T>(act: () => T): T => {
    timer.refresh();
    try {
      return act();
    } catch (error) {
      onFailure(error as Error);
      throw error;
    }
  };
  const { direct } = sink;
  const watched: ByteSink = {
    write: (chunk) => guard(() => sink.write(chunk)),
    async whenWritable() {
      waiting += 1;
      await sink.whenWritable().catch((error: Error) => {
        onFailure(error);
        throw error;
      });
      waiting -= 1;
      timer.refresh();
    },
    ...(direct && {
      direct: { reserve: () => direct.reserve(), commit: (bytes: number) => guard(() => direct.commit(bytes)) },
    }),
  };
  return { sink: watched, stop: () => clearTimeout(timer) };
}
