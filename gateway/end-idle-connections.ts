import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Node's own `closeIdleConnections` takes a connection on which nothing was ever sent for one in use, until the time for
 * headers is over. Load balancers open such connections ahead.
 *
 * @returns ends each connection on which no call is under way
 */
export function endIdleConnections(server: Server): () => void {
  const callsOf = new Map<Socket, number>();
  server.on('connection', (socket) => {
    callsOf.set(socket, 0);
    socket.once('close', () => callsOf.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    callsOf.set(socket, (callsOf.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const calls = callsOf.get(socket);
      if (calls !== undefined) callsOf.set(socket, calls - 1);
    });
  });
  return () => {
    for (const [socket, calls] of callsOf) if (calls === 0) socket.destroy();
  };
}
