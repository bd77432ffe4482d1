import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import type { Database } from '../../db/client.js';
import { checkJoinToken, joinWithToken } from '../../db/join-with-token.js';
import { ERRORS, type ErrorCode, isSlipwayError } from '../../shared/errors.js';
import { HOST_JOIN_CHECK_PATH, HOST_JOIN_PATH, type HostJoinFailure } from '../../shared/host-join.js';
import { createStrangerThrottle } from '../limits/stranger-throttle.js';
import { isDatabaseAway, loggable } from '../protocol/database-error.js';
import { parseJoinRequest, parseToken } from './parse-join-request.js';

/** 64 pools with long paths. */
const BODY_LIMIT_BYTES = 320 * 1024;
/** Of one address in a minute. A token cannot be guessed; whoever tries must not keep the database busy. */
const MAX_WRONG_TOKENS = 20;

/** `POST /host-join`: how a machine becomes a host, by a token instead of an account. JSON; nothing of it is logged. */
export async function serveHostJoin(app: FastifyInstance, { db }: { db: Database }): Promise<void> {
  const strangers = createStrangerThrottle(MAX_WRONG_TOKENS);
  app.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES }, (_, body, done) => {
    try {
      done(null, JSON.parse(body as string));
    } catch {
      // Without the cause: the parser quotes the text, and the token is in it.
      done(Object.assign(new Error('not JSON'), { statusCode: 400 }));
    }
  });

  const guarded = async <Answer>(request: FastifyRequest, answer: () => Promise<Answer>): Promise<Answer> => {
    strangers.admit(request.ip, undefined);
    try {
      return await answer();
    } catch (error) {
      if (isSlipwayError(error) && error.code === 'SLIPWAY_JOIN_TOKEN') strangers.counts(request.ip);
      throw error;
    }
  };
  app.post(HOST_JOIN_CHECK_PATH, (request) => guarded(request, () => checkJoinToken(db, parseToken(request.body))));
  app.post(HOST_JOIN_PATH, (request) =>
    guarded(request, async () => {
      const answer = await joinWithToken(db, parseJoinRequest(request.body));
      request.log.info({ hostId: answer.hostId }, 'a host has joined');
      return answer;
    }),
  );

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, failure } = failureOf(error);
    if (failure.code === 'SLIPWAY_INTERNAL') request.log.error({ failure: loggable(error) }, 'failed');
    else request.log.info({ code: failure.code, status }, 'refused');
    return reply.code(status).send(failure);
  });
}

function failureOf(error: FastifyError): { status: number; failure: HostJoinFailure } {
  if (isSlipwayError(error)) return told(error.code, error.message);
  if (isDatabaseAway(error)) return told('SLIPWAY_UNAVAILABLE', 'The database does not answer');
  if (error.statusCode === 413)
    return told('SLIPWAY_REQUEST_MALFORMED', `The body is larger than ${BODY_LIMIT_BYTES} bytes`);
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return told('SLIPWAY_REQUEST_MALFORMED', 'The body cannot be read: send a JSON object as application/json');
  }
  return told('SLIPWAY_INTERNAL', 'The gateway failed: its log has more');
}

const told = (code: ErrorCode, message: string): { status: number; failure: HostJoinFailure } => ({
  status: ERRORS[code].errorcode,
  failure: { code, message, remedy: ERRORS[code].remedy },
});
