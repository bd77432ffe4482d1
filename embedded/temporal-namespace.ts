import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { ensureSearchAttributes } from '../client/ensure-search-attributes.js';
import { SlipwayError } from '../shared/errors.js';

const USABLE_TIMEOUT_MS = 30_000;

async function waitUntilUsable(connection: Connection, namespace: string): Promise<void> {
  const deadline = performance.now() + USABLE_TIMEOUT_MS;
  for (;;) {
    try {
      // A server that has just started can describe a namespace before it can list in it.
      await connection.workflowService.describeNamespace({ namespace });
      await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
      return;
    } catch (cause) {
      if (performance.now() > deadline) {
        throw new SlipwayError('SLIPWAY_INSTALLATION', `Temporal's namespace ${namespace} does not answer.`, { cause });
      }
      await delay(50);
    }
  }
}

/**
 * Waits until a namespace answers and adds the search attributes that it lacks.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when it does not answer within 30 s.
 */
export async function prepareNamespace(connectionOptions: ConnectionOptions, namespace: string): Promise<void> {
  const connection = Connection.lazy(connectionOptions);
  try {
    await waitUntilUsable(connection, namespace);
    await ensureSearchAttributes(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
