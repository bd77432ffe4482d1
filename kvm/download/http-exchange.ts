import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
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

function startRequest({ url, headers, lookup, ca }: ExchangeOptions): {
  request: ClientRequest;
  socket?: DirectSocket;
} {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const options = { host, path: `${url.pathname}${url.search}`, headers, lookup };
  if (url.protocol === 'https:') {
    return { request: httpsRequest({ ...options, port: url.port || 443, agent: false, ...(ca ? { ca } : {}) }) };
  }
  const port = Number(url.port || 80);
  const socket = new DirectSocket({ host, port, lookup });
  return { request: httpRequest({ ...options, port, createConnection: () => socket }), socket };
}

/** The length that frames the body, when nothing but it does (RFC 9112, 6.3). */
function framedLength({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || length === undefined || !/^\d{1,15}$/.test(length))
    return undefined;
  return Number(length);
}

function pumpStream(response: IncomingMessage, sink: ByteSink): Promise<void> {
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      try {
        if (sink.write(chunk)) return;
        response.pause();
        sink.whenWritable().then(() => response.resume(), reject);
      } catch (error) {
        reject(error as Error);
      }
    });
    response.once('end', resolve);
    response.once('error', reject);
  });
}

/** One GET, one answer, no redirects, on a connection of its own. */
export function exchange(options: ExchangeOptions): Promise<HttpResponse> {
  const { url, connectTimeoutMs, socketTimeoutMs, signal } = options;
  return new Promise<HttpResponse>((resolveResponse, rejectResponse) => {
    if (signal.aborted) return rejectResponse(abortError(signal));
    const { request, socket } = startRequest(options);
    let failure: Error | undefined;
    let isEnded = false;
    let settleBody: (error?: Error) => void = () => undefined;

    const end = (error?: Error): void => {
      if (isEnded) return;
      isEnded = true;
      failure = error;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      request.destroy();
      socket?.destroy();
      if (error) rejectResponse(error);
      settleBody(error);
    };
    const fail = (error: unknown): void => end(transportFailure(url, error));
    const failSilent = (code: string) => (): void => fail({ code });
    const onAbort = (): void => end(abortError(signal));

    let timer = setTimeout(failSilent('SILENT_CONNECT'), connectTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const onConnect = (): void => {
      clearTimeout(timer);
      if (!isEnded) timer = setTimeout(failSilent('SILENT_ANSWER'), socketTimeoutMs);
    };
    request.once('socket', (connection) => connection.once(socket ? 'connect' : 'secureConnect', onConnect));
    // Not at once: the parser is still inside the bytes that it tells of.
    request.on('information', () => setImmediate(() => socket?.nextHead()));
    request.once('error', fail);
    request.once('response', (response) => {
      clearTimeout(timer);
      response.on('error', fail);
      const pump = async (sink: ByteSink): Promise<void> => {
        if (failure) throw failure;
        const watched = watchSink(sink, socketTimeoutMs, failSilent('SILENT_BODY'), end);
        const body = new Promise<void>((resolve, reject) => {
          settleBody = (error) => (error ? reject(error) : resolve());
        });
        const length = socket?.isHeld ? framedLength(response) : undefined;
        if (socket && length !== undefined && length > 0) {
          socket.direct(watched.sink, length).then(() => end(), fail);
        } else {
          socket?.stream();
          pumpStream(response, watched.sink).then(() => end(), fail);
        }
        try {
          await body;
        } finally {
          watched.stop();
        }
      };
      resolveResponse({
        url,
        statusCode: response.statusCode ?? 0,
        headers: response.headers,
        pump,
        discard: () => end(new Error('The body was discarded')),
      });
    });
    request.end();
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
