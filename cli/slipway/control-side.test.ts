import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { openDatabase } from '../../db/client.js';
import { createTestDatabase, TEST_SECRET_KEY, type TestDatabase } from '../../tests/support/test-database.js';
import { parseArguments } from './arguments.js';
import type { CreateAdminCommand } from './commands.js';
import { createAdmin } from './create-admin.js';
import { migrate } from './migrate.js';

describe('a database that is new', () => {
  let database: TestDatabase;
  let directory: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-control-'));
    await database.db.execute(sql`drop schema public cascade`);
    await database.db.execute(sql`create schema public`);
    await database.db.execute(sql`drop schema drizzle cascade`);
    environment = { DATABASE_URL: database.databaseUrl, SLIPWAY_SECRET_KEY: TEST_SECRET_KEY };
  });
  afterAll(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const creates = (...args: string[]) =>
    createAdmin(parseArguments(['create-admin', ...args]) as CreateAdminCommand, environment);

  it('is migrated, and gets its first admin, whose keys go into a file and nowhere else', async () => {
    const output = path.join(directory, 'admin.json');
    expect(await migrate(environment)).toMatchObject({ isTemporalPrepared: false });
    expect(await migrate(environment)).toMatchObject({ isTemporalPrepared: false });
    const { text } = await creates('--output', output, '--endpoint', 'https://slipway/client/api');
    const written = JSON.parse(await readFile(output, 'utf8')) as Record<string, string>;
    expect(written).toMatchObject({ endpoint: 'https://slipway/client/api', username: 'admin' });
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    for (const secret of ['apiKey', 'secretKey', 'password']) expect(text).not.toContain(written[secret]!);

    await expect(creates('--output', output)).rejects.toThrow('is there already');
    await creates('--output', output, '--force');
    const again = JSON.parse(await readFile(output, 'utf8')) as Record<string, string>;
    expect(again).toEqual({ ...written, endpoint: 'http://127.0.0.1:8080/client/api' });
    const { db, close } = openDatabase(database.databaseUrl, { applicationName: 'test', max: 1 });
    expect(await db.execute(sql`select count(*)::int as count from "user"`)).toMatchObject([{ count: 1 }]);
    await close();
  });

  it.each([
    ['DATABASE_URL', () => migrate({})],
    [
      'SLIPWAY_SECRET_KEY',
      () =>
        createAdmin(
          { command: 'create-admin', output: '/none', endpoint: '', isForced: false, isJson: false },
          {
            DATABASE_URL: 'postgres://none',
          },
        ),
    ],
  ])('is not guessed: %s has to be set', async (name, run) => {
    await expect(run()).rejects.toThrow(`${name} is not set`);
  });
});
