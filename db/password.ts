import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** One of the settings that OWASP's Password Storage Cheat Sheet calls equal: 32 MiB, three passes. */
const CURRENT = { N: 2 ** 15, r: 8, p: 3 };
type Cost = typeof CURRENT;

const KEY_BYTES = 32;

/** At most: a row with a larger cost would let whoever can write it take the memory of the process. */
const MOST_BYTES = 256 * 1024 ** 2;

const derive = (password: string, salt: Buffer, { N, r, p }: Cost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, { N, r, p, maxmem: MOST_BYTES }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });

/** `scrypt$N$r$p$salt$hash`, salt and hash in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const { N, r, p } = CURRENT;
  const hash = await derive(password, salt, CURRENT);
  return ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join('$');
}

interface StoredPassword extends Cost {
  salt: Buffer;
  hash: Buffer;
}

function parse(stored: string): StoredPassword | undefined {
  const [, N, r, p, salt, hash] =
    /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w+/]+=*)\$([\w+/]+=*)$/.exec(stored) ?? [];
  if (hash === undefined) return undefined;
  const bytes = Buffer.from(hash, 'base64');
  if (bytes.length !== KEY_BYTES) return undefined;
  return { N: Number(N), r: Number(r), p: Number(p), salt: Buffer.from(salt!, 'base64'), hash: bytes };
}

/** Compared with where there is no password, so that it takes the same time. Nothing hashes to it. */
const NOBODY: StoredPassword = { ...CURRENT, salt: Buffer.alloc(16), hash: Buffer.alloc(KEY_BYTES) };

/**
 * @param stored undefined when there is no such user: it takes as long, and is never right
 * @returns `isOutdated` when the password is right and should be hashed anew, since the cost has changed
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
): Promise<{ isRight: boolean; isOutdated: boolean }> {
  const known = stored === undefined ? undefined : parse(stored);
  const { salt, hash, ...cost } = known ?? NOBODY;
  const isEqual = timingSafeEqual(await derive(password, salt, cost), hash);
  const isRight = known !== undefined && isEqual;
  return { isRight, isOutdated: isRight && (cost.N !== CURRENT.N || cost.r !== CURRENT.r || cost.p !== CURRENT.p) };
}
