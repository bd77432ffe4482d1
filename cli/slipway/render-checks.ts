import type { Check } from './machine-checks.js';

const SIGNS: Record<Check['status'], string> = { ok: 'ok      ', warning: 'warning ', failed: 'FAILED  ' };

export const renderChecks = (checks: readonly Check[]): string =>
  checks
    .map(
      ({ name, status, text, remedy }) =>
        `${SIGNS[status]} ${name}: ${text}${remedy ? `\n          → ${remedy}` : ''}\n`,
    )
    .join('');

export const hasFailed = (checks: readonly Check[]): boolean => checks.some(({ status }) => status === 'failed');
