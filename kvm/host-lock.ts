import { createServer } from 'node:net';
import { SlipwayError } from '../shared/errors.js';

export interface HostLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only worker of a host on this machine: two would sweep each other's partial files. It is an
 * abstract Unix socket, which the kernel releases when the process dies, however it dies, and which leaves no file.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another process has it
 */
export async function acquireHostLock(hostId: string): Promise<HostLock> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`\0slipway-host-${hostId}`, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new SlipwayError('SLIPWAY_RESOURCE_BUSY', `Another worker on this machine serves host ${hostId}`);
  });
  // The lock must not keep a process alive that has nothing else to do.
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
