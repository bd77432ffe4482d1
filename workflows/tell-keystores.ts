import type { KeystoreOutcome, KeystorePlan } from '../shared/certificates.js';
import { createRecorder } from './provision-certificates/record-outcomes.js';
import { tellHosts } from './provision-certificates/tell-hosts.js';

/** Characters as JSON. Whoever has many parts told keeps what each hands back, and once more as what is recorded. */
const MOST_TO_HAND_BACK = 64 * 1024;

/**
 * Tells hosts of a zone what to trust, as a part of many.
 *
 * @returns what is still to be recorded: all, unless it is much, as when hosts reject many certificates
 */
export async function tellKeystores(plan: KeystorePlan, packed: Uint8Array): Promise<KeystoreOutcome[]> {
  const outcomes = await tellHosts(plan, packed);
  if (JSON.stringify(outcomes).length <= MOST_TO_HAND_BACK) return outcomes;
  await createRecorder(plan)(outcomes);
  return [];
}
