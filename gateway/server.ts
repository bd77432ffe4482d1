import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { sql } from 'drizzle-orm';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { isSlipwayError, SlipwayError } from '../shared/errors.js';
import { refuseBrowser } from './auth/open-port.js';
import { answerRequest, callerOf, knownCaller } from './answer-request.js';
import type { CommandDependencies } from './commands/define-command.js';
import { endIdleConnections } from './end-idle-connections.js';
import { type EventLimits, serveEvents } from './events/serve-events.js';
import { serveHostJoin } from './host-join/serve-host-join.js';
import { apiErrorOf } from './protocol/api-error.js';
import { type Checks, serveHealth } from './health.js';
import { createAccountThrottle } from './limits/account-throttle.js';
import { createLoginPace } from './limits/login-pace.js';
import { createRecentSettings } from './limits/recent-settings.js';
import { createStrangerThrottle } from './limits/stranger-throttle.js';
import { loggable } from './protocol/database-error.js';
import { renderAnswer } from './protocol/envelope.js';
import { readFormat, readParameters } from './protocol/request-parameters.js';
import { refuseUnreadable } from './refuse-unreadable.js';

/** A certificate of 64 KiB, percent-encoded, and the rest. */
const BODY_LIMIT_BYTES = 256 * 1024;
/** Of a query and headers; more belongs into a form. */
const MAX_HEADER_BYTES = 32 * 1024;
/** A load balancer's idle time-out is usually 60 s: the server must not close a connection that one is about to use. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** What one gateway puts up with. */
interface GatewayLimits extends EventLimits {
  /** For a request to arrive, headers and body; not for its answer. */
  requestTimeoutMs: number;
  /** For its headers alone. */
  headersTimeoutMs: number;
  /** Of a connection on which nothing moves, as when a client does not read its answer. Longer than any call takes. */
  idleTimeoutMs: number;
  /** Calls at once: all wait for the same ten connections to the database. */
  maxCalls: number;
  /** Each may hold a body of 256 KiB. */
  maxConnections: number;
  /** Calls of one address in a minute that are not authenticated. */
  maxUnauthenticated?: number;
  /** How old what is known of the settings may be. */
  settingsAgeMs?: number;
}

const LIMITS: GatewayLimits = {
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 15_000,
  idleTimeoutMs: 120_000,
  maxCalls: 1_000,
  maxConnections: 4_000,
  eventsIntervalMs: 1_000,
  heartbeatMs: 15_000,
  streamLifetimeMs: 300_000,
  maxUnsentBytes: 1024 * 1024,
  maxStreams: 1_000,
  maxStreamsOfAccount: 50,
};

export interface GatewayOptions {
  log?: Writable;
  limits?: Partial<GatewayLimits>;
  /** What else `/readyz` asks than the database. */
  checks?: Checks;
  /** CIDRs whose `X-Forwarded-For` is believed: without it a proxy is the one address that all calls come from. */
  trustedProxies?: string[];
  /** Whoever reaches it is a root admin: for a port of the loopback address alone. */
  isOpen?: boolean;
}

const FORM = 'application/x-www-form-urlencoded';

/** The HTTP side of the gateway; stateless, any number may run. Log lines are JSON, one per request. */
export function createGateway(dependencies: CommandDependencies, options: GatewayOptions): FastifyInstance {
  const { log, checks = {}, trustedProxies = [], isOpen = false } = options;
  const limits = { ...LIMITS, ...options.limits };
  const settings = createRecentSettings(dependencies.db, limits.settingsAgeMs);
  const throttles = {
    settings,
    accounts: createAccountThrottle(dependencies.db, settings),
    strangers: createStrangerThrottle(limits.maxUnauthenticated),
    logins: createLoginPace(),
  };
  const app = fastify({
    logger: log ? { stream: log } : false,
    // Its own line would have the URL, and the URL has the API key, the signature and template URLs.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      headersTimeout: limits.headersTimeoutMs,
      // Node looks every 30 s whether a time is over.
      connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    clientErrorHandler: refuseUnreadable,
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    // A call on a connection that was kept is answered, while the gateway ends, and told that it was the last.
    return503OnClosing: false,
    // Queries are read once, by readParameters. CloudStack's own web page calls `/client/api/`.
    routerOptions: { querystringParser: () => ({}), ignoreTrailingSlash: true },
  });
  app.server.maxConnections = limits.maxConnections;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  let isEnding = false;
  const endIdle = endIdleConnections(app.server);
  app.addHook('preClose', async () => {
    isEnding = true;
    endIdle();
  });
  app.addHook('onSend', async (request, reply) => {
    // The connection of a call that was under way would be kept, and the gateway would not end before it is given up.
    if (isEnding) reply.header('connection', 'close');
    reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  const callOf = (request: FastifyRequest) => ({
    ...throttles,
    isOpen,
    method: request.method,
    address: request.ip,
    // Of a proxy that is trusted, what it says of the client.
    isSecure: request.protocol === 'https',
    cookie: request.headers.cookie,
  });
  if (isOpen) app.addHook('preHandler', async (request) => refuseBrowser(request.headers));

  let calls = 0;
  app.route({
    method: ['GET', 'POST'],
    url: '/client/api',
    async onRequest(_request, reply) {
      calls += 1;
      reply.raw.once('close', () => (calls -= 1));
    },
    // With the body: it says which format the answer is to have.
    async preHandler(_request, reply) {
      if (calls <= limits.maxCalls) return;
      reply.header('retry-after', '1');
      throw new SlipwayError('SLIPWAY_OVERLOADED', 'The server has too many calls at once; try again');
    },
    handler: async (request, reply) => {
      const startedMs = performance.now();
      const answer = await answerRequest(dependencies, {
        ...callOf(request),
        texts: textsOf(request),
        requestId: request.id,
      });
      const { status, contentType, body, description, command, accountId, cookies, defect, reason } = answer;
      const durationMs = Math.round(performance.now() - startedMs);
      const isDefect = defect !== undefined;
      const facts = {
        command,
        accountId,
        address: request.ip,
        status,
        durationMs,
        reason,
        ...(isDefect ? { failure: loggable(defect) } : {}),
      };
      request.log[isDefect ? 'error' : 'info'](facts, 'answered');
      if (cookies) reply.header('set-cookie', cookies);
      return send(reply, { status, contentType, body, description });
    },
  });

  app.register(serveEvents, {
    db: dependencies.db,
    limits,
    async authenticate(request) {
      const parameters = readParameters(...textsOf(request));
      const caller = await callerOf(dependencies, callOf(request), parameters);
      await throttles.accounts.count(caller);
      return caller;
    },
    knownCaller: (request) => knownCaller(dependencies, callOf(request), readParameters(...textsOf(request))),
  });
  app.register(serveHostJoin, { db: dependencies.db });

  serveHealth(app, { database: () => dependencies.db.execute(sql`select 1`), ...checks });

  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'Not found: the API is at /client/api, by GET or POST' }),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // What fastify refuses before the handler: another media type, a body that is too large or cut off.
    const isRefusal = error.statusCode !== undefined && error.statusCode < 500;
    if (isSlipwayError(error)) request.log.warn({ code: error.code, address: request.ip }, 'refused');
    else if (!isRefusal) request.log.error({ failure: loggable(error) }, 'failed');
    const body = apiErrorOf(
      isRefusal ? new SlipwayError('SLIPWAY_REQUEST_MALFORMED', refusal(error)) : error,
      request.id,
    );
    const answer = renderAnswer(readFormat(...textsOf(request)), 'errorresponse', body);
    return send(reply, { status: body.errorcode, description: body.errortext, ...answer });
  });
  return app;
}

const queryOf = (request: FastifyRequest): string => {
  const url = request.raw.url ?? '';
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1);
};

const textsOf = (request: FastifyRequest): string[] => [
  queryOf(request),
  typeof request.body === 'string' ? request.body : '',
];

const refusal = (error: FastifyError): string =>
  error.statusCode === 413
    ? `The body is larger than ${BODY_LIMIT_BYTES} bytes`
    : `The request cannot be read: send parameters in the query or as ${FORM}`;

interface Sent {
  status: number;
  contentType: string;
  body: string;
  description?: string;
}

function send(reply: FastifyReply, { status, contentType, body, description }: Sent): FastifyReply {
  // A header is one line of ASCII; the text is whole in the body.
  if (description) reply.header('x-description', description.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 500));
  return reply.code(status).header('content-type', contentType).send(body);
}
