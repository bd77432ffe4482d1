import type { KeystorePlan } from '../shared/certificates.js';
import { applyKeystores } from './provision-certificates/apply-keystores.js';

/** Tells hosts of a zone what to trust, as a part of many. */
export async function tellKeystores(plan: KeystorePlan, packed: Uint8Array): Promise<void> {
  await applyKeystores(plan, packed);
}
