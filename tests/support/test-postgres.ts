import { rm } from 'node:fs/promises';
import { migrate } from '../../db/migrate.js';
import { seed } from '../../db/seed.js';
import { pickFreePorts } from '../../embedded/ports.js';
import { startPostgres } from '../../embedded/postgres.js';
import { createTemporaryStateDirectory } from '../../embedded/state-directory.js';
import { TEST_SECRET_KEY, TEST_SERVER_VARIABLE, type TestServer } from './test-database.js';

/** One PostgreSQL for all test files of a run; its database, migrated and seeded, is the template of theirs. */
export async function startTestPostgres(): Promise<{ variables: Record<string, string>; stop(): Promise<void> }> {
  const state = await createTemporaryStateDirectory();
  const { databaseUrl, process: server } = await startPostgres(state.path, (await pickFreePorts(1))[0]!);
  await migrate(databaseUrl);
  const seeded = await seed(databaseUrl, { secretKeyBase64: TEST_SECRET_KEY });
  return {
    variables: { [TEST_SERVER_VARIABLE]: JSON.stringify({ databaseUrl, seeded } satisfies TestServer) },
    async stop() {
      await server.stop();
      await rm(state.path, { recursive: true, force: true });
    },
  };
}
