import { DefaultLogger, Runtime } from '@temporalio/worker';

/**
 * The frame of a worker process: Temporal's runtime turns SIGTERM and SIGINT into an orderly drain, the process says
 * `ready` on standard output when it serves, and ends with a clear line when it cannot.
 */
export async function runWorkerProcess(name: string, main: (ready: () => void) => Promise<void>): Promise<void> {
  Runtime.install({
    logger: new DefaultLogger('INFO'),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
  try {
    await main(() => console.log(`ready ${name}`));
  } catch (error) {
    console.error(`${name} cannot run:`, error);
    // At once: what main had opened before it failed would keep the process alive, serving nothing.
    process.exit(1);
  }
}
