import type { ApplyCertificatesResult, DesiredKeystore } from '../../shared/certificates.js';
import type { HostDependencies } from './dependencies.js';

/** Makes what this host trusts for downloads equal to a set. Whoever watches the host is told by `HostFacts.keystore`. */
export const applyCertificates =
  ({ certificates }: HostDependencies) =>
  (desired: DesiredKeystore): Promise<ApplyCertificatesResult> =>
    certificates.apply(desired);
