import type { ApplyCertificatesResult, ToldKeystore } from '../../shared/certificates.js';
import type { HostDependencies } from './dependencies.js';
import { orderedKeystore } from './ordered-keystore.js';

/** Makes what this host trusts for downloads equal to a set. Whoever watches the host is told by `HostFacts.keystore`. */
export const applyCertificates =
  ({ certificates }: HostDependencies) =>
  async (told: ToldKeystore, packed?: Uint8Array): Promise<ApplyCertificatesResult> =>
    certificates.apply(await orderedKeystore(told, packed));
