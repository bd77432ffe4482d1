/**
 * As CloudStack shows it: `ROOT`, `ROOT/sales`.
 *
 * @param path as the database has it: `/`, `/sales/`
 */
export const shownDomainPath = (path: string): string => `ROOT${path.replace(/\/$/, '')}`;
