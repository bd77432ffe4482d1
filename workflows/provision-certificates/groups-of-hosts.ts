import type { KeystoreOrder, KeystorePlan } from '../../shared/certificates.js';
import { inGroups } from './in-groups.js';

/**
 * Of what goes to hosts at once. More than Temporal keeps in memory of recent events (512 KiB) would be read from its
 * database again for each host, all of it.
 */
const BYTES_AT_ONCE = 448 * 1024;

/** Of a workflow that tells them: its history stays small, and what it records fits into one message. */
const MOST_HOSTS = 50;
/** Each group costs a workflow, however few of its hosts can be told at once. */
const FEWEST_HOSTS = 10;

/** Of an order beside the certificates. */
const BYTES_OF_ORDER = 1024;

/** How many hosts can be told at once. */
export const hostsAtOnce = ({ byteLength }: Pick<Uint8Array, 'byteLength'>): number =>
  Math.max(1, Math.floor(BYTES_AT_ONCE / (byteLength + BYTES_OF_ORDER)));

/**
 * Hosts of a plan, as they are told by one workflow each: if it can be, all of a group at once, since each that is told
 * later, by itself, is a task of the workflow.
 */
export function groupsOfHosts(
  { hosts }: Pick<KeystorePlan, 'hosts'>,
  packed: Pick<Uint8Array, 'byteLength'>,
): KeystoreOrder[][] {
  const size = Math.min(MOST_HOSTS, Math.max(FEWEST_HOSTS, hostsAtOnce(packed)));
  return inGroups(hosts, size);
}

/** What a workflow says to Temporal at once is one message, of 4 MB at most; each child is given the certificates. */
const BYTES_OF_CHILDREN = 2 * 1024 * 1024;
const MOST_CHILDREN = 20;

/** How many groups can be told by children at once. */
export function childrenAtOnce(
  { certificates, hosts }: Pick<KeystorePlan, 'certificates' | 'hosts'>,
  packed: Pick<Uint8Array, 'byteLength'>,
): number {
  const bytes = packed.byteLength + JSON.stringify({ certificates, hosts }).length;
  return Math.max(1, Math.min(MOST_CHILDREN, Math.floor(BYTES_OF_CHILDREN / bytes)));
}
