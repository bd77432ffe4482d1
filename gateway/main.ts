import { cancelJob } from '../client/cancel-job.js';
import { connectTemporal } from '../client/connect.js';
import { executeWorkflow } from '../client/execute-workflow.js';
import { provisionCertificates } from '../client/provision-certificates.js';
import { startJob } from '../client/start-job.js';
import { openDatabase } from '../db/client.js';
import { createSecretBox } from '../db/secret-box.js';
import { requiredVariable } from '../shared/environment.js';
import type { CommandDependencies } from './commands/define-command.js';
import { createGateway, type GatewayOptions } from './server.js';

/** Shorter than what stops it waits before it kills. */
const STOP_GRACE_MS = 10_000;

/**
 * The gateway's process. Environment: DATABASE_URL, SLIPWAY_SECRET_KEY, Temporal's own (TEMPORAL_ADDRESS …),
 * SLIPWAY_GATEWAY_HOST (127.0.0.1), SLIPWAY_GATEWAY_PORT (8080), SLIPWAY_TRUSTED_PROXIES (none),
 * SLIPWAY_INTEGRATION_PORT (none: on the loopback address, whoever reaches it is a root admin). Prints a line that begins
 * with `ready` when it listens; ends in order on SIGTERM and SIGINT.
 */
async function main(): Promise<void> {
  const { env } = process;
  const secretBox = await createSecretBox(requiredVariable(env, 'SLIPWAY_SECRET_KEY'));
  const client = connectTemporal();
  const database = openDatabase(requiredVariable(env, 'DATABASE_URL'), { applicationName: 'slipway-gateway' });
  const { db } = database;
  const dependencies: CommandDependencies = {
    db,
    secretBox,
    startJob: (job) => startJob({ client, db }, job),
    cancelJob: (job) => cancelJob(client, job),
    executeWorkflow: (call) => executeWorkflow(client, call),
    provisionCertificates: (certificate, isSettled) => provisionCertificates(client, certificate, isSettled),
  };
  const options: GatewayOptions = {
    log: process.stdout,
    checks: { temporal: () => client.connection.workflowService.getSystemInfo({}) },
    trustedProxies: listOf(env['SLIPWAY_TRUSTED_PROXIES']),
  };
  const app = createGateway(dependencies, options);
  const openPort = env['SLIPWAY_INTEGRATION_PORT'] ?? '';
  // No proxy is believed there: one that took strangers to it would be their way in.
  const openApp =
    openPort === '' ? undefined : createGateway(dependencies, { ...options, trustedProxies: [], isOpen: true });
  const apps = openApp ? [app, openApp] : [app];

  const stop = async (): Promise<void> => {
    // Calls under way are answered first; they need the database and Temporal.
    const overdue = setTimeout(() => apps.forEach(({ server }) => server.closeAllConnections()), STOP_GRACE_MS);
    await Promise.all(apps.map((one) => one.close()));
    clearTimeout(overdue);
    await database.close();
    await client.connection.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());

  await openApp?.listen({ host: '127.0.0.1', port: Number(openPort) });
  const address = await app.listen({
    host: env['SLIPWAY_GATEWAY_HOST'] ?? '127.0.0.1',
    port: Number(env['SLIPWAY_GATEWAY_PORT'] ?? 8080),
  });
  process.stdout.write(`ready ${address}\n`);
}

const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

main().catch((error: unknown) => {
  process.stderr.write(`gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
