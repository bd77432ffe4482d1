/** Below drizzle's wrapper, whose message has the query's parameters in it, is the driver's error. */
const driverError = (error: unknown): (Error & { code?: unknown }) | undefined => {
  if (!(error instanceof Error)) return undefined;
  return error.cause instanceof Error ? error.cause : error;
};

/** postgres.js's own codes, those of sockets, and PostgreSQL's of a server that starts, stops or is full. */
const AWAY = /^(CONNECT_TIMEOUT|CONNECTION_\w+|ECONN\w+|EPIPE|ENOENT|57P0[1-3]|53300)$/;

export const isDatabaseAway = (error: unknown): boolean => AWAY.test(String(driverError(error)?.code));

/** For the log: what happened and where, without the values of a query, which may be somebody's key. */
export const loggable = (error: unknown): Record<string, unknown> => {
  const cause = driverError(error);
  return cause
    ? { type: cause.name, code: cause.code, message: cause.message, stack: cause.stack }
    : { message: String(error) };
};
