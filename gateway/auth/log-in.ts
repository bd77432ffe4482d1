import { eq } from 'drizzle-orm';
import { audit } from '../../db/audit.js';
import type { Database } from '../../db/client.js';
import { holdLogin } from '../../db/hold-login.js';
import {
  ATTEMPTS_COUNT_MIN,
  countAttempt,
  forgetOldAttempts,
  isKnownSubject,
  rememberSuccess,
  uncountAttempt,
} from '../../db/login-attempts.js';
import { hashPassword, verifyPassword } from '../../db/password.js';
import { findLogin, type LoginName, readLoginName } from '../../db/reads/find-login.js';
import { user as users } from '../../db/schema/index.js';
import { openSession } from '../../db/sessions.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { roleOfType } from '../../shared/roles.js';
import type { LoginPace } from '../limits/login-pace.js';
import { networkOf } from '../limits/stranger-throttle.js';
import type { ResponseBody } from '../protocol/envelope.js';
import type { RequestParameters } from '../protocol/request-parameters.js';
import { missingParameter } from '../protocol/standard-texts.js';
import { cookiesOf } from './cookies.js';

/** An address may be that of many: it may fail as often as so many users. */
const USERS_OF_AN_ADDRESS = 10;
/** One user may be tried from so many addresses, until none where the user was never let in may try more. */
const STRANGE_ADDRESSES_OF_A_USER = 20;

const MOST_CHARACTERS = 255;

export interface LoginRequest {
  method: string;
  address: string;
  /** Whether it came by TLS. */
  isSecure: boolean;
  logins: LoginPace;
}

/**
 * Opens a session. Why it does not is told in one text for every reason, after the same time.
 *
 * @throws SlipwayError SLIPWAY_METHOD_NOT_ALLOWED, SLIPWAY_LOGIN_FAILED, SLIPWAY_TOO_MANY_REQUESTS
 */
export async function logIn(
  { db }: { db: Database },
  parameters: RequestParameters,
  { method, address, isSecure, logins }: LoginRequest,
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
  const counted = await countIn(db, { username, place }, networkOf(address), allowed).catch(async (error: unknown) => {
    await logins.wait();
    throw error;
  });
  const found = await findLogin(db, { username, place });
  const { isRight, isOutdated } = await logins.look(() => verifyPassword(password, found?.user.password));
  if (!found || !isRight) {
    await forgetOldAttempts(db);
    // What a stranger would be told: else it would tell who was let in from there before.
    throw counted.wouldRefuseStranger ? tooMany() : loginFailed();
  }
  const { user, account } = found;
  const newHash = isOutdated ? await hashPassword(password) : undefined;
  const secrets = await db.transaction(async (tx) => {
    if (!(await holdLogin(tx, found))) throw loginFailed();
    for (const subject of counted.others) await uncountAttempt(tx, subject);
    await rememberSuccess(tx, counted.both);
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

const loginFailed = (): SlipwayError =>
  new SlipwayError('SLIPWAY_LOGIN_FAILED', 'Failed to authenticate: user name, password or domain is wrong');

const tooMany = (): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_TOO_MANY_REQUESTS',
    `Too many logins have failed; try again in ${ATTEMPTS_COUNT_MIN} minutes`,
  );

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

/**
 * Counts an attempt, for its address and for the user. A user is counted from each address alone: else anybody could shut
 * out anybody, by failing in their name. So that a password is not guessed from any number of addresses all the same, the
 * user is counted at all, too. Neither that nor what others fail at an address, which may be that of a proxy, shuts out who
 * was let in from there before.
 *
 * @param allowed failures of a user; 0 for any number
 * @throws SlipwayError SLIPWAY_TOO_MANY_REQUESTS
 */
async function countIn(db: Database, login: LoginName, network: string, allowed: number): Promise<Counted> {
  const isTooMany = async (subject: string, most: number): Promise<boolean> => {
    const attempts = await countAttempt(db, subject);
    return allowed !== 0 && attempts > most;
  };
  const address = `address ${network}`;
  const user = `user ${await readLoginName(db, login)}`;
  const both = `${user} at ${network}`;
  const isKnown = await isKnownSubject(db, both);
  // The address first: a name for which no password will be looked at is to leave no row.
  const isTooManyHere = await isTooMany(address, allowed * USERS_OF_AN_ADDRESS);
  if (isTooManyHere && !isKnown) throw tooMany();
  if (await isTooMany(both, allowed)) throw tooMany();
  const isTooManyOfUser = await isTooMany(user, allowed * STRANGE_ADDRESSES_OF_A_USER);
  if (isTooManyOfUser && !isKnown) throw tooMany();
  return { both, others: [address, user], wouldRefuseStranger: isTooManyHere || isTooManyOfUser };
}

interface Counted {
  /** The user from that address. */
  both: string;
  others: string[];
  wouldRefuseStranger: boolean;
}
