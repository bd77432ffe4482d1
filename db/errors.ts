/** PostgreSQL's SQLSTATE of a failed query, below drizzle's wrapper. */
const UNIQUE_VIOLATION = '23505';

interface DriverError {
  code?: string;
  constraint_name?: string;
}

const driverError = (error: unknown): DriverError | undefined =>
  error instanceof Error ? ((error.cause ?? error) as DriverError) : undefined;

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const cause = driverError(error);
  return cause?.code === UNIQUE_VIOLATION && cause.constraint_name === constraint;
}
