import type { ApplyCertificatesResult, ToldKeystore } from '../../shared/certificates.js';
import { unpackKeystore } from '../../kvm/keystore/packed-certificates.js';
import type { HostDependencies } from './dependencies.js';
import { packedOfWorkflow } from './packed-of-workflow.js';

/**
 * Makes what this host trusts for downloads equal to a set. Whoever watches the host is told by `HostFacts.keystore`.
 *
 * @param packed of `packCertificates`; left out by `tellKeystores`, which has it in its history
 */
export const applyCertificates =
  ({ certificates }: HostDependencies) =>
  async (told: ToldKeystore, packed?: Uint8Array): Promise<ApplyCertificatesResult> =>
    certificates.apply(unpackKeystore(told, packed ?? (await packedOfWorkflow())));
