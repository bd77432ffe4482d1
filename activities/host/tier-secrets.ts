import type { RegisteredSource } from '../../kvm/download/source-client.js';
import type { KeyPair } from '../../kvm/keystore/sealed-box.js';
import { openSealedJson, sealJson } from '../../kvm/keystore/sealed-json.js';

/** What a host keeps from everybody else between reading the sources and downloading from a tier of them. */
export interface TierSecrets {
  /** Whole, in the order of `SealedTier.mirrors`. */
  urls: string[];
  /** A mirror may be on the registered origin, or lead there: then it needs the template's headers too. */
  registered: RegisteredSource;
}

export const sealTier = (secrets: TierSecrets, keyPair: KeyPair): Promise<string> =>
  sealJson(secrets, keyPair.publicKey);

export const openTier = (sealed: string, keyPair: KeyPair): Promise<TierSecrets> => openSealedJson(sealed, keyPair);
