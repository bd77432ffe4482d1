import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import type { SeedResult } from '../../db/seed.js';
import { createGateway, type GatewayOptions } from '../../gateway/server.js';

export interface ServedGateway {
  endpoint: string;
  /** A client of the root admin. */
  admin: CloudStackClient;
  close: () => Promise<void>;
}

/** The gateway over real HTTP, on a port of its own. */
export async function serveGateway(
  dependencies: Parameters<typeof createGateway>[0],
  seeded: SeedResult,
  onLog: (entry: string) => void,
  options: Omit<GatewayOptions, 'log'> = {},
): Promise<ServedGateway> {
  const log = new Writable({
    write(chunk: Buffer, _encoding, done) {
      onLog(chunk.toString());
      done();
    },
  });
  const app = createGateway(dependencies, { ...options, log });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const endpoint = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/client/api`;
  return { endpoint, admin: createCloudStackClient({ endpoint, ...seeded.admin }), close: () => app.close() };
}
