import { existsSync } from 'node:fs';
import { seed } from '../../db/seed.js';
import { writeCredentialsFile } from '../../embedded/credentials.js';
import { requiredVariable } from '../../shared/environment.js';
import type { CreateAdminCommand } from './commands.js';
import { usageError } from './usage-error.js';

/**
 * Makes the first root admin of a database, with a zone, a cluster and offerings, unless they are there; writes the API
 * keys to a file, in the form of `.slipway/credentials.json`, and nowhere else.
 */
export async function createAdmin(
  { output, endpoint, isForced }: CreateAdminCommand,
  environment: Record<string, string | undefined>,
): Promise<{ username: string; output: string; zoneId: string; clusterId: string; text: string }> {
  if (existsSync(output) && !isForced) throw usageError(`--output: ${output} is there already; --force replaces it`);
  const { admin, zoneId, clusterId } = await seed(requiredVariable(environment, 'DATABASE_URL'), {
    secretKeyBase64: requiredVariable(environment, 'SLIPWAY_SECRET_KEY'),
  });
  // One that is replaced may be all that knows the password.
  await writeCredentialsFile(output, { endpoint, ...admin });
  return {
    username: admin.username,
    output,
    zoneId,
    clusterId,
    text: `Wrote the API keys of ${admin.username} to ${output}; keep it, the password is known nowhere else.\n`,
  };
}
