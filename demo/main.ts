/** `node dist/demo/main.js [--keep]`: the main job on this machine, with real servers, and proof of each claim. */
import path from 'node:path';
import { type Installation, startInstallation } from '../embedded/installation.js';
import { pickInstallationPorts } from '../embedded/installation-ports.js';
import { createTemporaryStateDirectory } from '../embedded/state-directory.js';
import { startOriginServer } from './origin-server.js';
import { tellStory } from './story.js';

const HOSTS = 3;

/** Rejects at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function interruption(): Promise<never> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.once(signal, () => reject(new Error(`it was ended by ${signal}`)));
  });
  // It is only heard where the demo waits; before that, what is being started is started first.
  interrupted.catch(() => undefined);
  return interrupted;
}

async function demo(isKept: boolean): Promise<void> {
  const startedMs = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5);
    console.log(`${seconds} s  ${line}`);
  };
  say(`starting PostgreSQL, Temporal, a control worker, ${HOSTS} KVM hosts and a gateway`);
  const interrupted = interruption();
  const state = await createTemporaryStateDirectory();
  let installation: Installation | undefined;
  const origin = await startOriginServer();
  try {
    installation = await startInstallation({
      state,
      programs: path.join(import.meta.dirname, '..'),
      env: process.env,
      ports: await pickInstallationPorts(1),
      hosts: HOSTS,
      controlWorkers: 1,
      // The image server of the demo is on this machine.
      settings: { 'secstorage.allowed.internal.sites': '127.0.0.0/8' },
      isRestarted: true,
    });
    await Promise.race([tellStory({ installation, origin, directory: state.path, say, isKept }), interrupted]);
    if (isKept) {
      say(`API ${installation.credentials.endpoint}, credentials in ${path.join(state.path, 'credentials.json')}`);
      say('it runs until Ctrl-C, which removes all of it');
      await interrupted.catch(() => undefined);
    }
  } finally {
    await origin.stop();
    await (installation ? installation.destroy() : state.remove());
  }
  say('everything is stopped and removed');
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--keep');
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(' ')}\nUsage: scripts/demo [--keep]`);
  process.exitCode = 2;
} else {
  demo(process.argv.includes('--keep')).catch((error: unknown) => {
    console.error(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    // At once: a story that was interrupted may still be waiting for something.
    process.exit(1);
  });
}
