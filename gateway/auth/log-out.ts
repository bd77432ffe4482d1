import type { Database } from '../../db/client.js';
import { closeSession } from '../../db/sessions.js';
import { SlipwayError } from '../../shared/errors.js';
import type { ResponseBody } from '../protocol/envelope.js';
import type { RequestParameters } from '../protocol/request-parameters.js';
import { expiredCookies } from './cookies.js';
import { sessionOf } from './session-of.js';

/**
 * Ends the session of the request.
 *
 * @throws SlipwayError SLIPWAY_UNAUTHENTICATED when it has none: another site is not to log anybody out
 */
export async function logOut(
  { db }: { db: Database },
  parameters: RequestParameters,
  { cookie, isSecure }: { cookie: string | undefined; isSecure: boolean },
): Promise<{ body: ResponseBody; cookies: string[]; accountId: string }> {
  const session = await sessionOf(db, parameters, cookie);
  if (!session) throw new SlipwayError('SLIPWAY_UNAUTHENTICATED', 'There is no such session');
  await closeSession(db, session.sessionId);
  const { accountId } = session.caller;
  return { body: { description: 'success' }, cookies: expiredCookies(isSecure), accountId };
}
