import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/**
 * Whether a Temporal server answers for the namespace that these variables name.
 *
 * @returns its address
 */
export async function askTemporal(variables: Record<string, string>, timeoutMs: number): Promise<string> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({ overrideEnvVars: variables });
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: timeoutMs });
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return `${connectionOptions.address ?? 'localhost:7233'}, namespace ${namespace}`;
  } finally {
    await connection.close();
  }
}
