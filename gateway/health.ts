import type { FastifyInstance } from 'fastify';
import { loggable } from './protocol/database-error.js';

/** A load balancer asks every few seconds: a part that hangs must not hold its question. */
const TIMEOUT_MS = 2_000;

/** What has to answer, by the name that the answer gives it. */
export type Checks = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * `/healthz`: the process runs; for whoever would start it again. `/readyz`: what it needs answers; for whoever sends it
 * calls. 200, or 503 naming what does not answer.
 */
export function serveHealth(app: FastifyInstance, checks: Checks): void {
  app.get('/healthz', async () => ({ ok: true }));
  app.get('/readyz', async (request, reply) => {
    const parts = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        try {
          await inTime(check());
          return [name, true] as const;
        } catch (error) {
          request.log.warn({ part: name, failure: loggable(error) }, 'a part does not answer');
          return [name, false] as const;
        }
      }),
    );
    const ok = parts.every(([, answers]) => answers);
    return reply.code(ok ? 200 : 503).send({ ok, ...Object.fromEntries(parts) });
  });
}

function inTime(answer: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
