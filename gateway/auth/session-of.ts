import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { findSession } from '../../db/sessions.js';
import { readSettings } from '../../db/settings.js';
import type { RequestParameters } from '../protocol/request-parameters.js';
import { readToken } from './cookies.js';

/**
 * The session of a request that has both its cookie and its key: a page of another site can have the browser send the
 * cookie, and does not know the key.
 */
export async function sessionOf(
  db: Database,
  parameters: RequestParameters,
  cookie: string | undefined,
): Promise<{ caller: Caller; sessionId: string } | undefined> {
  const token = readToken(cookie);
  const sessionKey = parameters.get('sessionkey');
  if (!token || !sessionKey) return undefined;
  const settings = await readSettings(db);
  return findSession(db, { token, sessionKey }, Number(settings['session.timeout']));
}
