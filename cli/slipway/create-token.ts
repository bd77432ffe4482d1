import { createAdminClient, findByName } from './admin-client.js';
import type { TokenCommand } from './commands.js';

export async function createToken(command: TokenCommand): Promise<{ token: string; expires: string; text: string }> {
  const client = await createAdminClient(command.credentialsFile);
  const kind = command.host === undefined ? 'cluster' : 'host';
  const { id } = await findByName(client, kind, command.host ?? command.cluster);
  const { hostjointoken } = await client.call('createHostJoinToken', {
    [`${kind}id`]: id,
    expiry: command.expirySeconds,
  });
  const { token, expires } = hostjointoken as { token: string; expires: string };
  // Nothing else: it goes into a file, or into a pipe to another machine.
  return { token, expires, text: `${token}\n` };
}
