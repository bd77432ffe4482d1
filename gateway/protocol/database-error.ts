/** Below drizzle's wrapper, whose message has the query's parameters in it, is the driver's error. */
const driverError = (error: unknown): (Error & { code?: unknown }) | undefined => {
  if (!(error instanceof Error)) return undefined;
  return error.cause instanceof Error ? error.cause : error;
};

/**
 * postgres.js's own codes, those of sockets and names, and PostgreSQL's of a server that starts, stops or is full, of a
 * transaction that was ended since it and another waited for each other, and of waits that took too long.
 */
const AWAY =
  /^(CONNECT_TIMEOUT|CONNECTION_\w+|ECONN\w+|EHOST\w+|ENET\w+|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|ENOENT|57P0[1-3]|53300|40P01|55P03|57014)$/;

export const isDatabaseAway = (error: unknown): boolean => AWAY.test(String(driverError(error)?.code));

/** For the log: what happened, where and why, without the values of a query, which may be somebody's key. */
export function loggable(error: unknown): Record<string, unknown> {
  const origin = driverError(error);
  if (!origin) return { message: String(error) };
  const { name, code, message, stack, cause } = origin;
  return { name, code, message, stack, cause: cause instanceof Error ? cause.message : undefined };
}
