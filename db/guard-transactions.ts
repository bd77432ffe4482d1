import type postgres from 'postgres';

interface Connection {
  isLost: boolean;
}

type Act = (inner: postgres.Sql) => unknown;

/**
 * Keeps the driver from writing to the connection of a transaction that has lost it, as when PostgreSQL was killed: it
 * would do so to roll back, or for the next statement, and end the process, for its write fails where nobody can catch it
 * (https://github.com/porsager/postgres/issues/1208). The transaction fails as the driver has it fail all the same.
 */
export function guardTransactions(client: postgres.Sql): postgres.Sql {
  return new Proxy(client, {
    get(target, name, receiver) {
      if (name !== 'begin') return Reflect.get(target, name, receiver) as unknown;
      return async (act: Act) => {
        const connection: Connection = { isLost: false };
        try {
          return await target.begin((inner) => guarded(inner, connection, act));
        } finally {
          // Also when it was lost between two statements: of what its work asks from now on nothing is sent.
          connection.isLost = true;
        }
      };
    },
  });
}

/** Does the work of a transaction, or of a savepoint in it. */
async function guarded(inner: postgres.TransactionSql, connection: Connection, act: Act): Promise<unknown> {
  try {
    return await act(guardStatements(inner, connection));
  } finally {
    // What has an end is committed or rolled back by the driver. It has ended the transaction itself by now.
    if (connection.isLost) await new Promise(() => undefined);
  }
}

function guardStatements(inner: postgres.TransactionSql, connection: Connection): postgres.Sql {
  return new Proxy(inner as unknown as postgres.Sql, {
    get(target, name, receiver) {
      if (name === 'unsafe') {
        return (...args: Parameters<postgres.Sql['unsafe']>) => {
          if (connection.isLost) throw new Error('The transaction has ended: its connection was lost');
          const query = target.unsafe(...args);
          // Before anybody else hears of it.
          query.catch((error: unknown) => void (connection.isLost ||= isLoss(error)));
          return query;
        };
      }
      if (name === 'savepoint') return (act: Act) => inner.savepoint((nested) => guarded(nested, connection, act));
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
}

const LOST = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED']);

/** The socket has failed, or the server closes it: not what a statement alone fails with. */
function isLoss(error: unknown): boolean {
  const { code, syscall, severity } = error as { code?: string; syscall?: string; severity?: string };
  return LOST.has(code ?? '') || syscall !== undefined || severity === 'FATAL' || severity === 'PANIC';
}
