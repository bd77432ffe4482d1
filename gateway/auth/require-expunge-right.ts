import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { readSettingsOf } from '../../db/scoped-settings.js';
import { SlipwayError } from '../../shared/errors.js';

/**
 * Users expunge and recover nothing unless the setting lets them: what they destroyed by mistake, an administrator can
 * give back until `expunge.delay` is over.
 *
 * @throws SlipwayError SLIPWAY_PERMISSION_DENIED in CloudStack's words
 */
export async function requireExpungeRight(db: Database, caller: Caller, doing: string): Promise<void> {
  if (caller.role !== 'User') return;
  if ((await readSettingsOf(db, { accountId: caller.accountId }))['allow.user.expunge.recover.vm'] === 'true') return;
  throw new SlipwayError(
    'SLIPWAY_PERMISSION_DENIED',
    `${doing} can only be done by an Admin. Or when the allow.user.expunge.recover.vm key is set.`,
  );
}
