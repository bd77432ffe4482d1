import { eq } from 'drizzle-orm';
import { audit } from '../../db/audit.js';
import type { Database } from '../../db/client.js';
import {
  ATTEMPTS_COUNT_MIN,
  countAttempt,
  forgetAttempts,
  forgetOldAttempts,
  uncountAttempt,
} from '../../db/login-attempts.js';
import { hashPassword, verifyPassword } from '../../db/password.js';
import { findLogin } from '../../db/reads/find-login.js';
import { user as users } from '../../db/schema/index.js';
import { openSession } from '../../db/sessions.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { roleOfType } from '../../shared/roles.js';
import { networkOf } from '../limits/stranger-throttle.js';
import type { ResponseBody } from '../protocol/envelope.js';
import type { RequestParameters } from '../protocol/request-parameters.js';
import { missingParameter } from '../protocol/standard-texts.js';
import { cookiesOf } from './cookies.js';

/** An address may be that of many: it may fail as often as so many users. */
const USERS_OF_AN_ADDRESS = 10;

const MOST_CHARACTERS = 255;

export interface LoginRequest {
  method: string;
  address: string;
  /** Whether it came by TLS. */
  isSecure: boolean;
}

/**
 * Opens a session. Why it does not is told in one text for every reason, after the same time.
 *
 * @throws SlipwayError SLIPWAY_METHOD_NOT_ALLOWED, SLIPWAY_LOGIN_FAILED, SLIPWAY_TOO_MANY_REQUESTS
 */
export async function logIn(
  { db }: { db: Database },
  parameters: RequestParameters,
  { method, address, isSecure }: LoginRequest,
): Promise<{ body: ResponseBody; cookies: string[]; accountId: string }> {
  if (method !== 'POST') {
    throw new SlipwayError('SLIPWAY_METHOD_NOT_ALLOWED', 'Please use HTTP POST to authenticate using this API');
  }
  const username = required(parameters, 'username').trim();
  const password = required(parameters, 'password');
  const place = placeOf(parameters);
  const settings = await readSettings(db);
  const allowed = Number(settings['incorrect.login.attempts.allowed']);
  const timeoutMin = Number(settings['session.timeout']);
  const subjects = {
    address: `address ${networkOf(address)}`,
    user: `user ${JSON.stringify([place, username.toLowerCase()])}`,
  };
  if (allowed > 0) {
    await requireFew(db, subjects.address, allowed * USERS_OF_AN_ADDRESS);
    await requireFew(db, subjects.user, allowed);
  }
  const found = await findLogin(db, { username, place });
  const { isRight, isOutdated } = await verifyPassword(password, found?.user.password);
  if (!found || !isRight) {
    await forgetOldAttempts(db);
    throw new SlipwayError('SLIPWAY_LOGIN_FAILED', 'Failed to authenticate: user name, password or domain is wrong');
  }
  const { user, account } = found;
  const newHash = isOutdated ? await hashPassword(password) : undefined;
  const secrets = await db.transaction(async (tx) => {
    await uncountAttempt(tx, subjects.address);
    await forgetAttempts(tx, subjects.user);
    if (newHash !== undefined) await tx.update(users).set({ password: newHash }).where(eq(users.id, user.id));
    await audit(
      tx,
      { accountId: account.id, userId: user.id },
      {
        type: 'USER.LOGIN',
        description: `User ${user.username} has logged in from ${address}`,
        resourceType: 'User',
        resourceId: user.id,
      },
    );
    return openSession(tx, user.id, timeoutMin);
  });
  return {
    accountId: account.id,
    cookies: cookiesOf(secrets, isSecure),
    body: {
      username: user.username,
      userid: user.id,
      domainid: account.domainId,
      timeout: timeoutMin * 60,
      account: account.accountName,
      firstname: user.firstname,
      lastname: user.lastname,
      type: String(roleOfType(account.type).accounttype),
      timezone: user.timezone,
      registered: 'false',
      sessionkey: secrets.sessionKey,
      is2faenabled: 'false',
      is2faverified: 'true',
    },
  };
}

function required(parameters: RequestParameters, name: string): string {
  const value = parameters.get(name) ?? '';
  if (value === '') throw missingParameter('login', name);
  // A megabyte would be hashed as readily as a word.
  if (value.length > MOST_CHARACTERS) {
    throw new SlipwayError('SLIPWAY_LOGIN_FAILED', `Parameter ${name} is longer than ${MOST_CHARACTERS} characters`);
  }
  return value;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `ROOT/sales`, `/sales` and `sales` are the same; the root when none is named. */
function placeOf(parameters: RequestParameters): { path: string } | { domainId: string } {
  const domainId = parameters.get('domainid') ?? '';
  if (UUID.test(domainId)) return { domainId: domainId.toLowerCase() };
  const names = (parameters.get('domain') ?? '').split('/').filter((name) => name !== '');
  if (names[0]?.toUpperCase() === 'ROOT') names.shift();
  return { path: names.length === 0 ? '/' : `/${names.join('/')}/`.toLowerCase() };
}

async function requireFew(db: Database, subject: string, allowed: number): Promise<void> {
  if ((await countAttempt(db, subject)) <= allowed) return;
  throw new SlipwayError(
    'SLIPWAY_TOO_MANY_REQUESTS',
    `Too many logins have failed; try again in ${ATTEMPTS_COUNT_MIN} minutes`,
  );
}
