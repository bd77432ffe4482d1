import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { readSettingsOf } from '../../db/scoped-settings.js';
import { SlipwayError } from '../../shared/errors.js';

/**
 * Whether somebody may give images to everybody: administrators may, and users as the setting of their account says.
 *
 * @param refusal in CloudStack's words
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export async function requirePublicRight(db: Database, { accountId, role }: Caller, refusal: string): Promise<void> {
  if (role !== 'User') return;
  if ((await readSettingsOf(db, { accountId }))['allow.public.user.templates'] === 'true') return;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', refusal);
}
