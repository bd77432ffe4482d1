import type { KeystoreOutcome, TellKeystoresInput } from '../shared/certificates.js';
import { createRecorder } from './provision-certificates/record-outcomes.js';
import { tellHosts } from './provision-certificates/tell-hosts.js';

/** Characters as JSON. Whoever has many parts told keeps what each hands back, and once more as what is recorded. */
const MOST_TO_HAND_BACK = 64 * 1024;

/**
 * Tells hosts of a zone what to trust, as a part of many. They read its history for the certificates that it was given.
 *
 * @returns what is still to be recorded: all, unless it is much, as when hosts reject many certificates
 */
export async function tellKeystores(...[plan]: TellKeystoresInput): Promise<KeystoreOutcome[]> {
  const outcomes = await tellHosts(plan);
  if (JSON.stringify(outcomes).length <= MOST_TO_HAND_BACK) return outcomes;
  await createRecorder(plan)(outcomes);
  return [];
}
