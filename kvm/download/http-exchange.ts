import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Client, type Dispatcher, errors } from 'undici';
import { abortError } from './abort.js';
import { AnswerStream } from './answer-stream.js';
import { basicAuthorization } from './basic-authorization.js';
import type { ByteSink } from './byte-sink.js';
import { transportFailure } from './classify-failure.js';
import { openWire, type OpeningWire, type Route } from './open-wire.js';
import { proxyFailure } from './proxy-tunnel.js';
import { watchSink } from './watch-sink.js';
import type { Wire } from './wire.js';

export interface HttpResponse {
  statusCode: number;
  headers: IncomingHttpHeaders;
  /** All values of a header that may come several times. */
  valuesOf(name: string): string[];
  /**
   * Moves the body into `sink`. Resolves at its end.
   *
   * @throws SlipwayError of a broken transfer; what the sink threw; AbortError
   */
  pump(sink: ByteSink): Promise<void>;
  /** Gives up the body, and the connection with it. */
  discard(): void;
}

interface ExchangeOptions extends Route {
  headers: Record<string, string>;
  connectTimeoutMs: number;
  /** Longest wait for the answer to begin, and longest silence in the body. */
  socketTimeoutMs: number;
  signal: AbortSignal;
  /** A connection that an earlier exchange with the same server left. */
  wire?: Wire | undefined;
  /** Takes the connection when the next exchange can use it. */
  onIdle: (wire: Wire) => void;
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

const isTunnelled = (url: URL): boolean => url.protocol === 'https:';

/** The server's failures are not the proxy's: through a tunnel the proxy only carries, else it is what answers. */
function failureOf({ url, proxy }: Route, error: unknown, isAnswered: boolean): Error {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (proxy && code === 'SILENT_CONNECT') return proxyFailure(url, proxy, 'gave no connection in time');
  const isNonsense = !isAnswered && error instanceof errors.HTTPParserError;
  if (proxy && isNonsense && !isTunnelled(url)) return proxyFailure(url, proxy, 'answered with nonsense', error);
  return transportFailure(url, error);
}

/** What a proxy is sent in place of the path: it has to know the server, and whose request it is. */
function target({ url, proxy, headers }: ExchangeOptions): { path: string; headers: Record<string, string> } {
  const path = `${url.pathname}${url.search}`;
  if (!proxy || isTunnelled(url)) return { path, headers };
  const authorization = basicAuthorization(proxy);
  return {
    path: `${url.origin}${path}`,
    headers: authorization === undefined ? headers : { ...headers, 'proxy-authorization': authorization },
  };
}

/** One GET, one answer, no redirects. */
export function exchange(options: ExchangeOptions): Promise<HttpResponse> {
  const { url, proxy, connectTimeoutMs, socketTimeoutMs, signal } = options;
  return new Promise<HttpResponse>((resolveResponse, rejectResponse) => {
    if (signal.aborted) return rejectResponse(abortError(signal));
    let opening: OpeningWire | undefined;
    let wire = options.wire;
    let stream: AnswerStream | undefined;
    let failure: Error | undefined;
    let isEnded = false;
    let isAnswered = false;
    /** The server says that it will close: a request sent before it does would get no answer (RFC 9112, 9.6). */
    let isLast = false;
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
      if (!error && !isLast && wire && stream?.release()) options.onIdle(wire);
      // What it says to that has been said here already.
      client.destroy().catch(() => undefined);
      // undici does not end a connection that is still being made: a server that never ends its handshake kept it open.
      opening?.destroy();
      stream?.destroy();
      if (error) rejectResponse(error);
      settleBody(error);
    };
    const fail = (error: unknown): void => end(failureOf(options, error, isAnswered));
    const failSilent = (code: string) => (): void => fail({ code });
    const onAbort = (): void => end(abortError(signal));

    let timer = setTimeout(failSilent('SILENT_CONNECT'), connectTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    // Silence is counted here, where it is known whether the sink would take bytes.
    const client = new Client(url.origin, {
      connect: (_target, callback) => {
        const begin = (opened: Wire): void => {
          opening = undefined;
          if (isEnded) return void opened.socket.destroy();
          // Closed by the server just now: nobody would be told any more.
          if (!opened.isUsable) return fail({ code: 'ECONNRESET' });
          clearTimeout(timer);
          timer = setTimeout(failSilent('SILENT_ANSWER'), socketTimeoutMs);
          wire = opened;
          stream = new AnswerStream(opened);
          // undici knows sockets by the interface of a stream, which this has.
          callback(null, stream as unknown as Socket);
        };
        // Not at once: undici takes no connection from inside `dispatch`.
        if (wire) return void setImmediate(begin, wire);
        opening = openWire(options);
        opening.ready.then(begin, (error: Error) => callback(error, null));
      },
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
      isAnswered = true;
      if (statusCode === 407 && proxy && !isTunnelled(url)) return fail(proxyFailure(url, proxy, 'answered 407'));
      isLast = /\bclose\b/i.test(String(received.connection ?? ''));
      // Nothing of the body moves before it is asked for.
      controller.pause();
      const pump = async (sink: ByteSink): Promise<void> => {
        if (failure) throw failure;
        const watched = watchSink(sink, socketTimeoutMs, failSilent('SILENT_BODY'), end);
        const body = new Promise<void>((resolve, reject) => {
          settleBody = (error) => (error ? reject(error) : resolve());
        });
        remainingBytes = framedLength(received);
        if (stream?.isHeld && remainingBytes !== undefined && remainingBytes > 0) {
          stream.direct(watched.sink, remainingBytes).then(() => end(), fail);
        } else {
          streamSink = watched.sink;
          stream?.stream();
          controller.resume();
        }
        try {
          await body;
        } finally {
          watched.stop();
        }
      };
      resolveResponse({
        statusCode,
        headers: firstValues(received),
        valuesOf: (name) => [received[name] ?? []].flat(),
        pump,
        discard: () => end(new Error('The body was discarded')),
      });
    };
    client.dispatch(
      { method: 'GET', ...target(options) },
      {
        // Its presence tells undici which kind of handler this is.
        onRequestStart: () => undefined,
        onResponseStart(controller, statusCode, received) {
          // An informational answer: another head follows. Not at once, for the parser is still inside this one.
          if (statusCode < 200) setImmediate(() => stream?.nextHead());
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
