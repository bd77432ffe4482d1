import type { FastifyInstance } from 'fastify';
import { connectTemporal } from '../client/connect.js';
import { executeWorkflow } from '../client/execute-workflow.js';
import { startJob } from '../client/start-job.js';
import { openDatabase } from '../db/client.js';
import { createSecretBox } from '../db/secret-box.js';
import { loggable } from './protocol/database-error.js';
import { createGateway } from './server.js';

/**
 * The gateway's process. Environment: DATABASE_URL, SLIPWAY_SECRET_KEY, Temporal's own (TEMPORAL_ADDRESS …),
 * SLIPWAY_GATEWAY_HOST (127.0.0.1), SLIPWAY_GATEWAY_PORT (8080). Prints a line that begins with `ready` when it
 * listens; ends in order on SIGTERM and SIGINT.
 */
async function main(): Promise<void> {
  const { env } = process;
  const secretBox = await createSecretBox(required('SLIPWAY_SECRET_KEY'));
  const client = await connectTemporal();
  const database = openDatabase(required('DATABASE_URL'), { applicationName: 'slipway-gateway' });
  const { db } = database;
  const app: FastifyInstance = createGateway(
    {
      db,
      secretBox,
      // Nobody awaits it: a rejection would end the process, and the sweeper starts the job anyway.
      startJob: (job) =>
        startJob({ client, db }, job).catch((error: unknown) => {
          app.log.error({ failure: loggable(error), jobId: job.id }, 'the job was not started');
        }),
      executeWorkflow: (call) => executeWorkflow(client, call),
    },
    { log: process.stdout },
  );

  const stop = async (): Promise<void> => {
    // Requests under way are answered first; they need the database and Temporal.
    await app.close();
    await database.close();
    await client.connection.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());

  const address = await app.listen({
    host: env['SLIPWAY_GATEWAY_HOST'] ?? '127.0.0.1',
    port: Number(env['SLIPWAY_GATEWAY_PORT'] ?? 8080),
  });
  process.stdout.write(`ready ${address}\n`);
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set`);
  return value;
}

main().catch((error: unknown) => {
  process.stderr.write(`gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
