import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
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

/**
 * Waits up to `patienceMs` for the port: what a killed Slipway left running is on its way out.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION naming the port, what it is for and `change`: the flag that moves it.
 */
export async function requireFreePort(
  port: number,
  purpose: string,
  change: string,
  patienceMs = 3_000,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isPortFree(port))) {
    if (performance.now() > deadline) {
      throw new SlipwayError(
        'SLIPWAY_INSTALLATION',
        `Port ${port} on ${LOOPBACK} is taken by another program, and ${purpose} needs it. Stop that program, or choose another port with ${change}.`,
      );
    }
    await delay(100);
  }
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
