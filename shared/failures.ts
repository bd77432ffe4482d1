import type { ErrorCode } from './errors.js';

/** A failure as it crosses Temporal and as a job's text shows it: no secrets. */
export interface Failure {
  code: ErrorCode;
  message: string;
}

export interface HostFailure extends Failure {
  hostId: string;
  hostName: string;
}

/** The job's text when no host is left: every host tried with its reason, in the order tried. */
export function describeHostFailures(failures: readonly HostFailure[]): string {
  return failures.map(({ hostName, message }) => `${hostName}: ${message}`).join('\n');
}
