import type { KeystoreOutcome, KeystorePlan } from '../shared/certificates.js';
import { inParts } from './provision-certificates/in-parts.js';
import { createRecorder } from './provision-certificates/record-outcomes.js';
import { tellHosts } from './provision-certificates/tell-hosts.js';

/**
 * Tells hosts of a zone what to trust, as a part of many.
 *
 * @returns what is still to be recorded: all, unless it is too large for one message
 */
export async function tellKeystores(plan: KeystorePlan, packed: Uint8Array): Promise<KeystoreOutcome[]> {
  const outcomes = await tellHosts(plan, packed);
  if (inParts(outcomes).length <= 1) return outcomes;
  await createRecorder(plan)(outcomes);
  return [];
}
