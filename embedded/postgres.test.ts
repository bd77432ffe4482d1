import postgres from 'postgres';
import { pickFreePorts } from './ports.js';
import { startPostgres } from './postgres.js';
import { createTemporaryStateDirectory, type StateDirectory } from './state-directory.js';

async function query<Row extends object>(databaseUrl: string, text: string): Promise<Row[]> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    return [...(await sql.unsafe<Row[]>(text))];
  } finally {
    await sql.end();
  }
}

describe('embedded PostgreSQL', () => {
  let state: StateDirectory;
  let port: number;

  beforeAll(async () => {
    state = await createTemporaryStateDirectory();
    [port] = (await pickFreePorts(1)) as [number];
  });
  afterAll(() => state.remove());

  test('keeps its data and its URL over a SIGKILL and over an orderly stop', async () => {
    let server = await startPostgres(state.path, port);
    const { databaseUrl } = server;
    await query(databaseUrl, 'create table kept (n int)');
    await query(databaseUrl, 'insert into kept values (1)');

    server.process.kill('SIGKILL');
    await server.process.exited;
    server = await startPostgres(state.path, port);
    expect(server.databaseUrl).toBe(databaseUrl);
    await query(databaseUrl, 'insert into kept values (2)');

    await server.process.stop();
    server = await startPostgres(state.path, port);
    expect(await query(databaseUrl, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    await server.process.stop();
  }, 60_000);

  test('takes over from a server whose owner is gone', async () => {
    const orphan = await startPostgres(state.path, port);
    const successor = await startPostgres(state.path, port);
    expect(orphan.process.isRunning()).toBe(false);
    expect(await query(successor.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await successor.process.stop();
  }, 60_000);

  test('refuses a wrong password', async () => {
    const server = await startPostgres(state.path, port);
    const url = new URL(server.databaseUrl);
    url.password = 'wrong';
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await server.process.stop();
  }, 60_000);

  test('says in the error why it cannot start', async () => {
    const other = await createTemporaryStateDirectory();
    const server = await startPostgres(state.path, port);
    await expect(startPostgres(other.path, port)).rejects.toMatchObject({
      code: 'SLIPWAY_INSTALLATION',
      message: expect.stringMatching(/postgresql ended while starting.*Address already in use/s),
    });
    await server.process.stop();
    await other.remove();
  }, 60_000);
});
