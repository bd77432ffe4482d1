import type { Database } from '../../db/client.js';
import { readSettingsOf } from '../../db/scoped-settings.js';
import { SlipwayError } from '../../shared/errors.js';

/**
 * The setting of the account whose image it is decides whether its users may give it to everybody.
 *
 * @param refusal in CloudStack's words
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export async function requirePublicRight(db: Database, accountId: string, refusal: string): Promise<void> {
  if ((await readSettingsOf(db, { accountId }))['allow.public.user.templates'] === 'true') return;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', refusal);
}
