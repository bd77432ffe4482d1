import { Client, Connection } from '@temporalio/client';
import { vmKey } from '../shared/search-attributes.js';
import { pickFreePorts } from './ports.js';
import { createTemporaryStateDirectory, type StateDirectory } from './state-directory.js';
import { prepareNamespace } from './temporal-namespace.js';
import { startTemporal, type TemporalOptions } from './temporal.js';

describe('embedded Temporal', () => {
  let state: StateDirectory;
  let options: TemporalOptions;

  beforeAll(async () => {
    state = await createTemporaryStateDirectory();
    const [port, uiPort] = (await pickFreePorts(2)) as [number, number];
    options = { stateDirectory: state.path, port, uiPort, env: process.env };
  });
  afterAll(() => state.remove());

  test('keeps workflows over a SIGKILL; takes search attributes; shows its web page', async () => {
    let server = await startTemporal(options);
    await prepareNamespace({ address: server.address }, 'default');
    const connection = await Connection.connect({ address: server.address });
    const client = new Client({ connection });
    const vmId = '7d3c5c5e-55f1-4a39-8f0c-0d6a6f0f5f11';
    await client.workflow.start('anything', {
      workflowId: `vm-${vmId}`,
      taskQueue: 'nobody-polls-this',
      typedSearchAttributes: [{ key: vmKey, value: vmId }],
    });

    server.process.kill('SIGKILL');
    await server.process.exited;
    server = await startTemporal(options);
    await prepareNamespace({ address: server.address }, 'default');
    const found = await client.workflow.getHandle(`vm-${vmId}`).describe();
    expect(found.status.name).toBe('RUNNING');
    expect(found.typedSearchAttributes.get(vmKey)).toBe(vmId);

    const { config } = await client.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 86_400);
    const page = await fetch(`http://127.0.0.1:${options.uiPort}/`);
    expect(page.status).toBe(200);

    await connection.close();
    await server.process.stop();
  }, 60_000);
});
