import { createServer } from 'node:net';
import { SlipwayError } from '../shared/errors.js';

/**
 * Makes this process the only one on this machine that has a name: an abstract Unix socket, which the kernel releases
 * when the process dies, however it dies, and which leaves no file. Other machines do not see it.
 *
 * @returns what releases it
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY with the text given, when another process has it
 */
export async function lockOnMachine(name: string, busy: string): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`\0${name}`, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new SlipwayError('SLIPWAY_RESOURCE_BUSY', busy);
  });
  // The lock must not keep a process alive that has nothing else to do.
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}
