import type { KeystoreHosts } from '../shared/certificates.js';
import { equipHosts } from './provision-certificates/equip-hosts.js';

/** Makes the certificates of some hosts of a zone what they should be, as a part of many. */
export async function equipKeystores(input: KeystoreHosts): Promise<void> {
  await equipHosts(input);
}
