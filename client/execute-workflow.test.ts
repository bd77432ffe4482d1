import { type AddressInfo, createServer, type Server } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { executeWorkflow } from './execute-workflow.js';

describe('a Temporal server that takes connections and says nothing', () => {
  let server: Server;
  let client: Client;

  beforeAll(async () => {
    server = createServer((socket) => socket.unref()).unref();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new Client({ connection: Connection.lazy({ address: `127.0.0.1:${port}` }) });
  });
  afterAll(async () => {
    await client.connection.close();
    server.close();
  });

  test('is not waited for longer than the workflow may take', async () => {
    const call = {
      workflowType: 'any',
      workflowId: 'any',
      input: {},
      searchAttributes: [],
      summary: '',
      timeoutMs: 10,
    };
    await expect(executeWorkflow(client, call)).rejects.toMatchObject({ code: 'SLIPWAY_UNAVAILABLE' });
  });
});
