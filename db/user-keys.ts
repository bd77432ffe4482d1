import { randomBytes } from 'node:crypto';

export interface UserKeys {
  apiKey: string;
  secretKey: string;
}

/** As CloudStack's: 64 random bytes each, in base64url. */
export const makeUserKeys = (): UserKeys => ({
  apiKey: randomBytes(64).toString('base64url'),
  secretKey: randomBytes(64).toString('base64url'),
});
