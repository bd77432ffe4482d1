import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { SlipwayError } from '../../shared/errors.js';

/**
 * Makes this process the only one on this host that writes to a partial file: an abstract Unix socket, which the kernel
 * releases when the process dies, however it dies. Processes on other hosts that share the directory do not see it.
 *
 * @param partialPath with links in its directory resolved
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY
 */
export async function lockPartial(partialPath: string): Promise<() => void> {
  const name = createHash('sha256').update(partialPath).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`\0slipway-image-${name}`, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new SlipwayError('SLIPWAY_RESOURCE_BUSY', 'Another run is downloading this image into this directory');
  });
  server.unref();
  return () => void server.close();
}
