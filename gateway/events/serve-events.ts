import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { SlipwayError } from '../../shared/errors.js';
import { loggable } from '../protocol/database-error.js';
import { withoutNulls } from '../protocol/envelope.js';
import { type Batch, createChangeFeed } from './change-feed.js';

export interface EventLimits {
  /** Between looks at the database. */
  eventsIntervalMs: number;
  /** Between comments that keep proxies from ending a stream on which nothing moves. */
  heartbeatMs: number;
  /** A stream ends after that, and its client comes again: so whoever may call no longer is told nothing for long. */
  streamLifetimeMs: number;
  /** Of what a client has not taken yet; one that is slower is dropped. */
  maxUnsentBytes: number;
  maxStreams: number;
  maxStreamsOfAccount: number;
}

interface EventsOptions {
  db: Database;
  limits: EventLimits;
  /** @throws SlipwayError for who may not call */
  authenticate: (request: FastifyRequest) => Promise<Caller>;
  /** Who it is now that was let in: nobody after a logout, or when the user may call no longer. */
  knownCaller: (request: FastifyRequest) => Promise<Caller | undefined>;
}

/** Decimal, of 64 bits. */
const POSITION = /^\d{1,19}$/;

/** `GET /events`: what changes, as server-sent events (WHATWG HTML, 9.2). Described in docs/events.md. */
export async function serveEvents(
  app: FastifyInstance,
  { db, limits, authenticate, knownCaller }: EventsOptions,
): Promise<void> {
  const feed = createChangeFeed(db, {
    intervalMs: limits.eventsIntervalMs,
    onError: (error) => app.log.warn({ failure: loggable(error) }, 'changes cannot be read'),
  });
  const streams = new Map<ServerResponse, string>();
  app.addHook('preClose', async () => {
    feed.stop();
    for (const stream of streams.keys()) stream.end();
  });

  app.get('/events', async (request, reply) => {
    const caller = await authenticate(request);
    const own = [...streams.values()].filter((accountId) => accountId === caller.accountId).length;
    if (own >= limits.maxStreamsOfAccount) {
      throw new SlipwayError('SLIPWAY_TOO_MANY_REQUESTS', `The account has ${own} event streams; close one first`);
    }
    if (streams.size >= limits.maxStreams) {
      throw new SlipwayError('SLIPWAY_OVERLOADED', 'The server has too many event streams at once; try again');
    }
    const stream = reply.hijack().raw;
    streams.set(stream, caller.accountId);
    const startedMs = performance.now();
    let isDropped = false;
    const write = (text: string): void => {
      if (stream.destroyed || stream.writableEnded) return;
      stream.write(text);
      if (stream.writableLength <= limits.maxUnsentBytes) return;
      isDropped = true;
      stream.destroy();
    };
    const tell = (batch: Batch): void => write(textOf(batch, caller));
    // What comes while the past is read waits for it: it would be followed by what was before.
    const early: Batch[] = [];
    let receive = (batch: Batch): void => void early.push(batch);
    const listener = (batch: Batch): void => receive(batch);
    const heartbeat = setInterval(() => {
      write(':\n\n');
      // A database that is away says nothing about who may call.
      knownCaller(request).then(
        (known) => void (isAlike(known, caller) || stream.end()),
        () => undefined,
      );
    }, limits.heartbeatMs);
    const end = setTimeout(() => stream.end(), limits.streamLifetimeMs);
    stream.on('error', () => stream.destroy());
    stream.once('close', () => {
      clearInterval(heartbeat);
      clearTimeout(end);
      feed.unsubscribe(listener);
      streams.delete(stream);
      const durationMs = Math.round(performance.now() - startedMs);
      request.log.info({ accountId: caller.accountId, address: request.ip, isDropped, durationMs }, 'events ended');
    });
    stream.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // A connection that is kept would keep the gateway from ending.
      connection: 'close',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': request.id,
    });
    try {
      const position = await feed.subscribe(listener);
      if (stream.destroyed) feed.unsubscribe(listener);
      const past = await pastSince(request.headers['last-event-id'], position);
      // A client that comes again has not got all up to now before it was told.
      write(`retry: 1000\nevent: ready\ndata: {}\n${past ? '' : `id: ${position}\n`}\n`);
      for (const batch of past ? [past, ...early] : early) tell(batch);
      receive = tell;
    } catch (error) {
      request.log.warn({ failure: loggable(error) }, 'changes cannot be read');
      stream.end();
    }
    return reply;
  });

  async function pastSince(lastEventId: unknown, position: string): Promise<Batch | undefined> {
    if (lastEventId === undefined) return undefined;
    const isPosition = typeof lastEventId === 'string' && POSITION.test(lastEventId);
    return isPosition ? await feed.since(lastEventId) : { position, entries: undefined };
  }
}

/** Whether what the caller is shown is still what they may see. */
const isAlike = (known: Caller | undefined, caller: Caller): boolean =>
  known?.accountId === caller.accountId && known.role === caller.role && known.domainPath === caller.domainPath;

function textOf({ position, entries }: Batch, caller: Caller): string {
  const texts = entries
    ? entries
        .filter((entry) => entry.isFor(caller))
        .map((entry) => `event: ${entry.event}\ndata: ${JSON.stringify(withoutNulls(entry.show(caller)))}\n\n`)
    : ['event: reset\ndata: {}\n\n'];
  // Without data it is no event, but the client remembers it: only now it has all up to there.
  return `${texts.join('')}id: ${position}\n\n`;
}
