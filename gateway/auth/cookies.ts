import type { SessionSecrets } from '../../db/sessions.js';

/** CloudStack's names. */
const TOKEN = 'JSESSIONID';
const KEY = 'sessionkey';

/** @param header of a request */
export function readToken(header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  // Two cookies of one name come from two places, and one of them is not ours.
  const tokens = pairs.filter(([name]) => name === TOKEN);
  return tokens.length === 1 ? tokens[0]![1] : undefined;
}

/**
 * `Set-Cookie` headers. No script can read them, and no other site can have them sent, but with a link that is followed: the
 * session key has to come as a parameter too. A client that looks for the key among the cookies finds it there.
 *
 * @param isSecure whether the client came by TLS
 */
export const cookiesOf = ({ token, sessionKey }: SessionSecrets, isSecure: boolean): string[] =>
  [
    [TOKEN, token],
    [KEY, sessionKey],
  ].map(([name, value]) => `${name}=${value}; ${attributes(isSecure)}`);

export const expiredCookies = (isSecure: boolean): string[] =>
  [TOKEN, KEY].map((name) => `${name}=; Max-Age=0; ${attributes(isSecure)}`);

const attributes = (isSecure: boolean): string => `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
