import { getTableColumns, type Table } from 'drizzle-orm';

/**
 * Some columns of a table, to select. drizzle takes milliseconds to ask for the whole rows of a few large tables, which is
 * much where it is done for each deployment.
 */
export function columnsOf<T extends Table, K extends keyof T['_']['columns'] & string>(
  table: T,
  ...names: readonly K[]
): Pick<T['_']['columns'], K> {
  const columns = getTableColumns(table);
  return Object.fromEntries(names.map((name) => [name, columns[name]])) as Pick<T['_']['columns'], K>;
}
