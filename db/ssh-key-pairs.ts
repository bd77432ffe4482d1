import { and, eq } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { holdAccount } from './hold-account.js';
import type { Caller } from './reads/find-caller.js';
import { sshKeypairs } from './schema/index.js';

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the account has a pair of that name */
export async function insertKeyPair(
  db: Database,
  caller: Caller,
  { name, publicKey, fingerprint }: { name: string; publicKey: string; fingerprint: string },
): Promise<string> {
  return db.transaction(async (tx) => {
    await holdAccount(tx, caller.accountId);
    const [row] = await tx
      .insert(sshKeypairs)
      .values({ accountId: caller.accountId, keypairName: name, publicKey, fingerprint })
      .onConflictDoNothing()
      .returning({ id: sshKeypairs.id });
    if (!row) {
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        `A key pair with name '${name}' already exists for this account.`,
      );
    }
    await note(tx, caller, { type: 'REGISTER.SSH.KEYPAIR', id: row.id, what: `${name} was added` });
    return row.id;
  });
}

/**
 * Virtual machines that were deployed with it keep it.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the account has no pair of that name
 */
export async function removeKeyPair(db: Database, caller: Caller, name: string): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx
      .delete(sshKeypairs)
      .where(and(eq(sshKeypairs.accountId, caller.accountId), eq(sshKeypairs.keypairName, name)))
      .returning({ id: sshKeypairs.id });
    if (!row) {
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        `A key pair with name '${name}' does not exist for this account`,
      );
    }
    await note(tx, caller, { type: 'DELETE.SSH.KEYPAIR', id: row.id, what: `${name} was deleted` });
  });
}

const note = (tx: Transaction, caller: Caller, { type, id, what }: { type: string; id: string; what: string }) =>
  audit(tx, caller, { type, description: `SSH key pair ${what}`, resourceType: 'SSHKeyPair', resourceId: id });
