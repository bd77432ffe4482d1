import { type Caller, findCallerByApiKey } from '../../db/reads/find-caller.js';
import type { Database } from '../../db/client.js';
import type { SecretBox } from '../../db/secret-box.js';
import { SlipwayError } from '../../shared/errors.js';
import type { RequestParameters } from '../protocol/request-parameters.js';
import { sessionOf } from './session-of.js';
import { expiresSoon, isExpired, isSignedWith } from './signature.js';

/** Who a request is of that was authenticated before: a signature is not checked again, which `expires` may have ended. */
export async function stillKnown(
  db: Database,
  parameters: RequestParameters,
  cookie: string | undefined,
): Promise<Caller | undefined> {
  const apiKey = parameters.get('apikey');
  return (await (apiKey ? findCallerByApiKey(db, apiKey) : sessionOf(db, parameters, cookie)))?.caller;
}

/**
 * Who has signed the request, or whose session it belongs to.
 *
 * @param options.cookie the header
 * @param options.isStrict whether a signature has to end, and soon
 * @throws SlipwayError SLIPWAY_UNAUTHENTICATED, with one text for every reason: which of them it was helps an attacker
 *   more than a user.
 */
export async function authenticate(
  { db, secretBox }: { db: Database; secretBox: SecretBox },
  parameters: RequestParameters,
  { cookie, isStrict }: { cookie: string | undefined; isStrict: boolean },
): Promise<Caller> {
  const apiKey = parameters.get('apikey');
  const session = apiKey ? undefined : await sessionOf(db, parameters, cookie);
  if (session) return session.caller;
  const found = apiKey ? await findCallerByApiKey(db, apiKey) : undefined;
  // An unknown key costs one verification too.
  const isSigned = isSignedWith(found ? secretBox.decrypt(found.secretKeyEncrypted) : 'unknown', parameters);
  const nowMs = Date.now();
  const isOutOfTime = isExpired(parameters, nowMs) || (isStrict && !expiresSoon(parameters, nowMs));
  if (!found || !isSigned || isOutOfTime) {
    throw new SlipwayError('SLIPWAY_UNAUTHENTICATED', 'unable to verify user credentials and/or request signature');
  }
  return found.caller;
}
