import type { RegisteredSource } from '../../kvm/download/source-client.js';
import type { HostKeys } from '../../kvm/keystore/host-keys.js';
import { sealJson } from '../../kvm/keystore/sealed-json.js';

/** What a host keeps from everybody else between reading the sources and downloading from a tier of them. */
export interface TierSecrets {
  /** Whole, in the order of `SealedTier.mirrors`. */
  urls: string[];
  /** A mirror may be on the registered origin, or lead there: then it needs the template's headers too. */
  registered: RegisteredSource;
}

export const sealTier = (secrets: TierSecrets, keys: Pick<HostKeys, 'publicKey'>): Promise<string> =>
  sealJson(secrets, keys.publicKey);

export const openTier = (sealed: string, keys: HostKeys): Promise<TierSecrets> => keys.open(sealed);
