import { and, asc, eq, isNull, notInArray } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database } from './client.js';
import { lockTokensOf } from './host-join-tokens.js';
import type { Caller } from './reads/find-caller.js';
import { host, hostJoinToken, vmInstance } from './schema/index.js';

export interface RevokedHost {
  /** VMs that it may still run. */
  virtualMachines: { id: string; name: string; state: string }[];
}

/**
 * Trusts a lost or stolen host with nothing any more: from this moment nothing is sealed to its key, no work is planned
 * for it and what it says is not recorded. Its VMs stay where they are until somebody vouches that it is off.
 *
 * @returns undefined when there is no such host
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is Up and `isForced` is false
 */
export const revokeHost = (
  db: Database,
  caller: Pick<Caller, 'accountId' | 'userId'>,
  id: string,
  isForced: boolean,
): Promise<RevokedHost | undefined> =>
  db.transaction(async (tx) => {
    await lockTokensOf(tx, { hostId: id });
    const isPresent = and(eq(host.id, id), isNull(host.removed));
    const [self] = await tx.select().from(host).where(isPresent).for('no key update');
    if (!self) return undefined;
    if (self.status === 'Up' && !isForced) {
      throw new SlipwayError(
        'SLIPWAY_RESOURCE_STATE',
        `Host ${self.name} is Up, and its virtual machines would be cut off. To take it out in order, prepare it for ` +
          'maintenance and delete it; if it was stolen or broken into, revoke it with forced=true',
      );
    }
    const virtualMachines = await tx
      .select({ id: vmInstance.id, name: vmInstance.name, state: vmInstance.state })
      .from(vmInstance)
      .where(and(eq(vmInstance.hostId, id), notInArray(vmInstance.state, ['Stopped', 'Destroyed', 'Expunged'])))
      .orderBy(asc(vmInstance.name));
    // Whoever has the machine may have one that was made for it, also since it was revoked the last time.
    await tx.delete(hostJoinToken).where(and(eq(hostJoinToken.hostId, id), isNull(hostJoinToken.used)));
    if (self.status === 'Revoked') return { virtualMachines };
    await tx.update(host).set({ status: 'Revoked', publicKey: null }).where(eq(host.id, id));
    await audit(tx, caller, {
      type: 'HOST.REVOKE',
      level: 'WARN',
      description:
        `Host ${self.name} was revoked: it gets no work and no secrets any more` +
        (virtualMachines.length > 0 ? `; it may still run ${virtualMachines.map(({ name }) => name).join(', ')}` : ''),
      resourceType: 'Host',
      resourceId: id,
    });
    return { virtualMachines };
  });
