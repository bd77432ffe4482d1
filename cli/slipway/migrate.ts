import { loadClientConnectConfig } from '@temporalio/envconfig';
import { migrate as migrateDatabase } from '../../db/migrate.js';
import { prepareNamespace } from '../../embedded/temporal-namespace.js';
import { requiredVariable } from '../../shared/environment.js';
import { temporalVariables } from './environment-file.js';

/** What `scripts/up` does to servers of the operator's own, apart from it. Safe to repeat, and by several at once. */
export async function migrate(
  environment: Record<string, string | undefined>,
): Promise<{ isTemporalPrepared: boolean; text: string }> {
  await migrateDatabase(requiredVariable(environment, 'DATABASE_URL'));
  const overrideEnvVars = temporalVariables(environment);
  const isTemporalPrepared = Object.keys(overrideEnvVars).length > 0;
  if (isTemporalPrepared) {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars });
    await prepareNamespace(connectionOptions, namespace ?? 'default');
  }
  return {
    isTemporalPrepared,
    text:
      'The database is up to date.\n' +
      (isTemporalPrepared ? 'The namespace of Temporal has the search attributes of Slipway.\n' : ''),
  };
}
