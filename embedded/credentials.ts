import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `.slipway/credentials.json`: what a client needs to call the API as the root admin. */
export interface Credentials {
  /** URL of the API, `http://127.0.0.1:8080/client/api`. */
  endpoint: string;
  apiKey: string;
  secretKey: string;
  username: string;
  /** Missing when the account was made elsewhere: the database keeps only a hash. */
  password?: string;
}

async function readPassword(path: string, username: string): Promise<string | undefined> {
  try {
    const known = JSON.parse(await readFile(path, 'utf8')) as Partial<Credentials>;
    return known.username === username ? known.password : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes the file, mode 0600. A password is known only when the account is made, so one from an earlier start is kept.
 */
export const writeCredentials = (stateDirectory: string, credentials: Credentials): Promise<Credentials> =>
  writeCredentialsFile(join(stateDirectory, 'credentials.json'), credentials);

/** As `writeCredentials`, to a file of any name. */
export async function writeCredentialsFile(path: string, credentials: Credentials): Promise<Credentials> {
  const password = credentials.password ?? (await readPassword(path, credentials.username));
  const written = { ...credentials, ...(password !== undefined && { password }) };
  await writeFile(`${path}.new`, `${JSON.stringify(written, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return written;
}
