import type { KeyPair } from './sealed-box.js';
import { openSealedJson } from './sealed-json.js';

/** What a host opens sealed fields with. */
export interface HostKeys {
  /** Of the key that the host seals to itself with. */
  readonly publicKey: string;
  /** @throws SlipwayError SLIPWAY_INTERNAL when none of its keys opens it, or it is no JSON object */
  open<Value extends object>(sealedBase64: string): Promise<Value>;
  /** Takes the keys as they are now: those that have gone are not accepted any more. */
  reload(): Promise<void>;
}

/**
 * The keys of a host, the present one first. What was sealed before the key was changed is opened by the former one.
 *
 * @param reread the keys as they are now: what none of the known ones opens may be sealed to one that was made since
 */
export function createHostKeys(
  pairs: readonly [KeyPair, ...KeyPair[]],
  reread?: () => Promise<readonly [KeyPair, ...KeyPair[]]>,
): HostKeys {
  let known = pairs;
  const tryAll = async <Value extends object>(sealedBase64: string): Promise<Value> => {
    let failure: unknown;
    for (const pair of known) {
      try {
        return await openSealedJson<Value>(sealedBase64, pair);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  };
  return {
    get publicKey() {
      return known[0].publicKey;
    },
    async open(sealedBase64) {
      try {
        return await tryAll(sealedBase64);
      } catch (error) {
        // While the file is being mended by hand, the keys that were read before still count.
        const now = await reread?.().catch(() => undefined);
        if (!now) throw error;
        known = now;
        return tryAll(sealedBase64);
      }
    },
    async reload() {
      known = (await reread?.()) ?? known;
    },
  };
}
