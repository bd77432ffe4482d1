import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/**
 * A client from Temporal's environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_TLS…`,
 * profiles; Temporal docs page "Environment configuration").
 */
export function connectTemporal(): Client {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  // Lazy: a gateway that starts while Temporal is away still answers lists.
  return new Client({ connection: Connection.lazy(connectionOptions), namespace });
}
