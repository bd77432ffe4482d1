import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { abortError } from './abort.js';
import { transportFailure } from './classify-failure.js';

/** Takes the bytes of a body as they arrive. */
export interface ByteSink {
  /**
   * Must be done with `chunk` when it returns. `false` asks for a pause: nothing is written until `whenWritable`
   * resolves. What it throws ends the transfer.
   */
  write(chunk: Buffer): boolean;
  whenWritable(): Promise<void>;
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
  dispatcher: Dispatcher;
  url: URL;
  headers: Record<string, string>;
  /** Longest wait for the answer to begin, and longest silence in the body. */
  socketTimeoutMs: number;
  /** Longest wait until a connection has taken the request. */
  queueTimeoutMs: number;
  signal: AbortSignal;
}

/**
 * One GET, one answer, no redirects. It uses undici's dispatch directly, since streams between socket and disk cost a
 * tenth of the throughput: the body is paused at its headers until someone pumps it.
 */
export function exchange(options: ExchangeOptions): Promise<HttpResponse> {
  const { dispatcher, url, headers, socketTimeoutMs, queueTimeoutMs, signal } = options;
  return new Promise<HttpResponse>((resolveResponse, rejectResponse) => {
    let controller: Dispatcher.DispatchController | undefined;
    let sink: ByteSink | undefined;
    let failure: Error | undefined;
    let isEnded = false;
    let settleBody: { resolve: () => void; reject: (error: Error) => void } | undefined;

    const end = (error?: Error): void => {
      if (isEnded) return;
      isEnded = true;
      clearTimeout(queueTimer);
      signal.removeEventListener('abort', onAbort);
      failure = error;
      if (error) {
        controller?.abort(error);
        rejectResponse(error);
        settleBody?.reject(error);
      } else {
        settleBody?.resolve();
      }
    };
    const onAbort = (): void => end(abortError(signal));
    const queueTimer = setTimeout(
      () => end(transportFailure(url, { code: 'UND_ERR_CONNECT_TIMEOUT' })),
      queueTimeoutMs,
    );

    const pump = (target: ByteSink): Promise<void> =>
      new Promise<void>((resolve, reject) => {
        if (failure) return reject(failure);
        settleBody = { resolve, reject };
        sink = target;
        // An empty body has ended before anyone could pump it.
        if (isEnded) return resolve();
        controller?.resume();
      });

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        clearTimeout(queueTimer);
        if (failure) started.abort(failure);
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        // Informational answers (103 and the like) come before the real one.
        if (statusCode < 200) return;
        controller?.pause();
        resolveResponse({
          url,
          statusCode,
          headers: responseHeaders,
          pump,
          discard: () => end(new Error('The body was discarded')),
        });
      },
      onResponseData(active, chunk) {
        if (isEnded || !sink) return;
        try {
          if (sink.write(chunk)) return;
          active.pause();
          sink.whenWritable().then(() => active.resume(), end);
        } catch (error) {
          end(error as Error);
        }
      },
      onResponseEnd: () => end(),
      onResponseError: (_controller, error) => end(transportFailure(url, error)),
    };

    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'GET',
        headers,
        headersTimeout: socketTimeoutMs,
        bodyTimeout: socketTimeoutMs,
      },
      handler,
    );
  });
}
