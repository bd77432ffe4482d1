import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCredentials } from './credentials.js';

const base = { endpoint: 'http://127.0.0.1:8080/client/api', apiKey: 'a', secretKey: 's', username: 'admin' };

describe('credentials file', () => {
  let directory: string;
  const read = async (): Promise<unknown> => JSON.parse(await readFile(join(directory, 'credentials.json'), 'utf8'));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('only its owner may read it', async () => {
    await writeCredentials(directory, { ...base, password: 'p' });
    expect((await stat(join(directory, 'credentials.json'))).mode & 0o777).toBe(0o600);
    expect(await read()).toEqual({ ...base, password: 'p' });
  });

  test('keeps the password of the first start, and takes the new endpoint', async () => {
    await writeCredentials(directory, { ...base, password: 'p' });
    const moved = { ...base, endpoint: 'http://127.0.0.1:9090/client/api' };
    expect(await writeCredentials(directory, moved)).toEqual({ ...moved, password: 'p' });
    expect(await read()).toEqual({ ...moved, password: 'p' });
  });

  test("does not hand one account's password to another", async () => {
    await writeCredentials(directory, { ...base, password: 'p' });
    expect(await writeCredentials(directory, { ...base, username: 'root' })).toEqual({ ...base, username: 'root' });
  });
});
