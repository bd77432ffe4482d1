import { findOwnKeyPairs } from '../../../db/reads/list-ssh-key-pairs.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { CommandContext } from '../define-command.js';

/** A guest has few keys; each stands in every history of the VM. */
const MAXIMUM_KEY_PAIRS = 20;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the account has no pair of a name */
export async function keyPairsOf(
  { keypair, keypairs = [] }: { keypair?: string; keypairs?: string[] },
  { db, caller }: CommandContext,
): Promise<{ name: string; publicKey: string }[]> {
  const names = [...new Set([...(keypair === undefined ? [] : [keypair]), ...keypairs])];
  if (names.length > MAXIMUM_KEY_PAIRS) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `A VM has at most ${MAXIMUM_KEY_PAIRS} key pairs`);
  }
  const pairs = await findOwnKeyPairs(db, caller, names);
  return pairs.map((pair, place) => {
    if (!pair) {
      throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `A key pair with name '${names[place]}' was not found.`);
    }
    return { name: pair.keypairName, publicKey: pair.publicKey };
  });
}
