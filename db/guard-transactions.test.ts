import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { type Database, openDatabase, type Transaction } from './client.js';

describe('a transaction that loses its connection', () => {
  let database: TestDatabase;
  let proxy: Server;
  let connections: Socket[];
  let db: Database;
  let close: () => Promise<void>;

  beforeEach(async () => {
    database = await createTestDatabase();
    const { port, hostname } = new URL(database.databaseUrl);
    connections = [];
    proxy = createServer((client) => {
      const server = connect(Number(port), hostname);
      connections.push(client);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.pipe(to);
        from.on('error', () => to.destroy()).on('close', () => to.destroy());
      }
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const url = new URL(database.databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String((proxy.address() as AddressInfo).port);
    ({ db, close } = openDatabase(url.href, { applicationName: 'test', max: 1 }));
  });
  afterEach(async () => {
    await close();
    proxy.close();
    await database.drop();
  });

  const one = (tx: Pick<Database, 'execute'>) => tx.execute(sql`select 1`);
  const cut = (how: 'destroy' | 'resetAndDestroy') => connections.forEach((connection) => connection[how]());
  /** As long as the driver takes to see it. */
  const seen = () => sleep(50);

  const works: [string, (tx: Transaction, cutNow: () => void) => Promise<unknown>][] = [
    [
      'between two statements',
      async (tx, cutNow) => {
        await one(tx);
        cutNow();
        await seen();
        await one(tx);
      },
    ],
    [
      'before it ends',
      async (tx, cutNow) => {
        await one(tx);
        cutNow();
        await seen();
      },
    ],
    [
      'during a statement',
      async (tx, cutNow) => {
        const running = tx.execute(sql`select pg_sleep(10)`);
        setTimeout(cutNow, 50);
        await running;
      },
    ],
    [
      'during a statement that it could do without',
      async (tx, cutNow) => {
        setTimeout(cutNow, 50);
        await tx.execute(sql`select pg_sleep(10)`).catch(() => undefined);
        await one(tx);
      },
    ],
    [
      'in a savepoint',
      (tx, cutNow) =>
        tx.transaction(async (nested) => {
          await one(nested);
          cutNow();
          await seen();
          await one(nested);
        }),
    ],
  ];

  it.each(
    works.flatMap(([when, work]) => (['destroy', 'resetAndDestroy'] as const).map((how) => [when, how, work] as const)),
  )('%s fails (%s), and the next one works', async (_when, how, work) => {
    await expect(db.transaction((tx) => work(tx, () => cut(how)))).rejects.toThrow(
      /Failed query|CONNECTION_CLOSED|ECONNRESET/,
    );
    // What the driver would write is written by now.
    await seen();
    await expect(db.transaction(one)).resolves.toEqual([{ '?column?': 1 }]);
  });

  it('and one whose statement is wrong is rolled back, as ever', async () => {
    await expect(db.transaction((tx) => tx.execute(sql`select 1 / 0`))).rejects.toThrow(
      /Failed query|CONNECTION_CLOSED|ECONNRESET/,
    );
    await expect(db.transaction(one)).resolves.toEqual([{ '?column?': 1 }]);
  });
});
