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
import { SlipwayError } from '../shared/errors.js';
import { answerRequest } from './answer-request.js';
import type { CommandDependencies } from './commands/define-command.js';
import { apiErrorOf } from './protocol/api-error.js';
import { loggable } from './protocol/database-error.js';
import { renderAnswer } from './protocol/envelope.js';
import { readFormat } from './protocol/request-parameters.js';

/** A certificate of 64 KiB, percent-encoded, and the rest. */
const BODY_LIMIT_BYTES = 256 * 1024;
/** For a request to arrive; not for its answer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A load balancer's idle time-out is usually 60 s: the server must not close a connection that one is about to use. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

const FORM = 'application/x-www-form-urlencoded';

/** The HTTP side of the gateway; stateless, any number may run. Log lines are JSON, one per request. */
export function createGateway(dependencies: CommandDependencies, { log }: { log?: Writable }): FastifyInstance {
  const app = fastify({
    logger: log ? { stream: log } : false,
    // Its own line would have the URL, and the URL has the API key, the signature and template URLs.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Queries are read once, by readParameters. CloudStack's own web page calls `/client/api/`.
    routerOptions: { querystringParser: () => ({}), ignoreTrailingSlash: true },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onSend', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  app.route({
    method: ['GET', 'POST'],
    url: '/client/api',
    handler: async (request, reply) => {
      const startedMs = performance.now();
      const { status, contentType, body, description, command, accountId, defect } = await answerRequest(dependencies, {
        texts: textsOf(request),
        requestId: request.id,
      });
      const durationMs = Math.round(performance.now() - startedMs);
      const isDefect = defect !== undefined;
      const facts = { command, accountId, status, durationMs, ...(isDefect ? { failure: loggable(defect) } : {}) };
      request.log[isDefect ? 'error' : 'info'](facts, 'answered');
      return send(reply, { status, contentType, body, description });
    },
  });

  app.get('/healthz', async () => ({ ok: true }));
  app.get('/readyz', async (request, reply) => {
    try {
      await dependencies.db.execute(sql`select 1`);
      return { ok: true };
    } catch (error) {
      request.log.warn({ failure: loggable(error) }, 'the database does not answer');
      return reply.code(503).send({ ok: false, reason: 'The database does not answer' });
    }
  });

  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'Not found: the API is at /client/api, by GET or POST' }),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // What fastify refuses before the handler: another media type, a body that is too large or cut off.
    const isRefusal = error.statusCode !== undefined && error.statusCode < 500;
    if (!isRefusal) request.log.error({ failure: loggable(error) }, 'failed');
    const body = apiErrorOf(
      isRefusal ? new SlipwayError('SLIPWAY_REQUEST_MALFORMED', refusal(error)) : error,
      request.id,
    );
    const answer = renderAnswer(readFormat(queryOf(request)), 'errorresponse', body);
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
