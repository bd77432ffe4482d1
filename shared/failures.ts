import type { ErrorCode } from './errors.js';

/** A failure as it crosses Temporal and as a job's text shows it to root admins: no secrets. */
export interface Failure {
  code: ErrorCode;
  message: string;
  /** What it came to by: of each host or source. Its owner is told these, and not the message. */
  causes?: ErrorCode[];
}

export interface HostFailure extends Failure {
  hostId: string;
  hostName: string;
}

/**
 * Characters of the reason of one host or source, and of a whole text. A metalink of a stranger may name a thousand
 * mirrors; the text goes to everybody who waits, and Temporal takes no payload above 2 MiB.
 */
const LONGEST_REASON = 4_000;
const LONGEST_TEXT = 200_000;

/** The job's text when no host is left: every host tried with its reason, in the order tried. */
export function describeHostFailures(failures: readonly HostFailure[]): string {
  return cut(failures.map(({ hostName, message }) => `${hostName}: ${shortReason(message)}`).join('\n'), LONGEST_TEXT);
}

/** Of several: each, and what it came to by. */
export const causesOf = (failures: readonly Omit<Failure, 'message'>[]): ErrorCode[] => [
  ...new Set(failures.flatMap(({ code, causes = [] }) => [code, ...causes])),
];

export const shortReason = (text: string): string => cut(text, LONGEST_REASON);

/** What a host says as a database takes it: what cannot be recorded would be tried again for as long as it is said. */
export const recordableText = (text: string): string => cut(text.toWellFormed().replaceAll('\0', ' '), LONGEST_TEXT);

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  // Half of a character of two would be taken by no database.
  const start = text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '');
  return `${start} … and ${text.length - start.length} characters more`;
}
