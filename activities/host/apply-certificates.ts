import type { ApplyCertificatesResult, ToldKeystore } from '../../shared/certificates.js';
import { unpackKeystore } from '../../kvm/keystore/packed-certificates.js';
import type { HostDependencies } from './dependencies.js';

/**
 * Makes what this host trusts for downloads equal to a set. Whoever watches the host is told by `HostFacts.keystore`.
 *
 * @param packed of `packCertificates`
 */
export const applyCertificates =
  ({ certificates }: HostDependencies) =>
  (told: ToldKeystore, packed: Uint8Array): Promise<ApplyCertificatesResult> =>
    certificates.apply(unpackKeystore(told, packed));
