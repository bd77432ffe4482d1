import type postgres from 'postgres';

/**
 * A list in a statement makes a statement of its own for each of its lengths, and a connection keeps what it has
 * prepared: longer ones are not worth the memory.
 */
const MOST_PARAMETERS = 40;

/**
 * Has statements prepared, once for each connection. drizzle asks for that only where a query is named, and otherwise
 * has each one parsed and planned anew, and waits for its description before it sends the parameters.
 */
export function prepareStatements(client: postgres.Sql): postgres.Sql {
  return new Proxy(client, {
    get(target, name, receiver) {
      if (name === 'unsafe') {
        return (
          query: string,
          parameters: postgres.ParameterOrJSON<never>[] = [],
          options?: postgres.UnsafeQueryOptions,
        ) => {
          const isWorthIt = parameters.length > 0 && parameters.length <= MOST_PARAMETERS;
          return target.unsafe(query, parameters, { ...options, prepare: isWorthIt });
        };
      }
      if (name === 'begin' || name === 'savepoint') {
        const begin = Reflect.get(target, name, receiver) as (act: (inner: postgres.Sql) => unknown) => unknown;
        return (act: (inner: postgres.Sql) => unknown) => begin.call(target, (inner) => act(prepareStatements(inner)));
      }
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
}
