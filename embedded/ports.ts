import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SlipwayError } from '../shared/errors.js';

const LOOPBACK = '127.0.0.1';

/** Below Linux's ephemeral range (32768 up): an outgoing connection can never take a port between two starts. */
const PICK_FROM = 20_000;
const PICK_BELOW = 32_000;

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @throws SlipwayError SLIPWAY_INSTALLATION naming the port, what it is for and `change`: the flag that moves it. */
export async function requireFreePort(port: number, purpose: string, change: string): Promise<void> {
  if (await isPortFree(port)) return;
  throw new SlipwayError(
    'SLIPWAY_INSTALLATION',
    `Port ${port} on ${LOOPBACK} is taken by another program, and ${purpose} needs it. Stop that program, or choose another port with ${change}.`,
  );
}

/** Distinct free ports, picked at random so that test files that run side by side do not meet. */
export async function pickFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(PICK_FROM, PICK_BELOW);
    if (!ports.has(port) && (await isPortFree(port))) ports.add(port);
  }
  return [...ports];
}
