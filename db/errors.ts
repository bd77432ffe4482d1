import { SlipwayError } from '../shared/errors.js';

/** PostgreSQL's SQLSTATE of a failed query, below drizzle's wrapper. */
const UNIQUE_VIOLATION = '23505';
const NOT_NULL_VIOLATION = '23502';

interface DriverError {
  code?: string;
  constraint_name?: string;
  column_name?: string;
}

const driverError = (error: unknown): DriverError | undefined =>
  error instanceof Error ? ((error.cause ?? error) as DriverError) : undefined;

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  const cause = driverError(error);
  return cause?.code === UNIQUE_VIOLATION && cause.constraint_name === constraint;
}

export function isNullViolation(error: unknown, column: string): boolean {
  const cause = driverError(error);
  return cause?.code === NOT_NULL_VIOLATION && cause.column_name === column;
}

/**
 * Tells of a name that another one has in words, where the database names an index.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export async function refuseTaken<Result>(
  constraint: string,
  message: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error, constraint)) throw error;
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', message);
  }
}
