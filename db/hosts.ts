import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { HOST_NAME_RULE, isHostName } from '../shared/host-name.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { host, type HOST_RESOURCE_STATES } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

type HostRow = typeof host.$inferSelect;
type ResourceState = (typeof HOST_RESOURCE_STATES)[number];

/** From the begin of a maintenance until it is cancelled. */
export const MAINTENANCE_STATES: readonly ResourceState[] = [
  'PrepareForMaintenance',
  'ErrorInMaintenance',
  'Maintenance',
];

export interface HostChanges {
  name?: string | undefined;
  tags?: string[] | undefined;
  /** Whether it takes new virtual machines. */
  isEnabled?: boolean | undefined;
}

/**
 * @returns false when there is no such host
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it can be neither Enabled nor Disabled now, SLIPWAY_PARAMETER_INVALID
 *   when another one has the name, or no host may have it
 */
export async function changeHost(db: Database, caller: Caller, id: string, changes: HostChanges): Promise<boolean> {
  const { name, tags, isEnabled } = changes;
  if (name !== undefined && !isHostName(name)) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `The name of a host has to be ${HOST_NAME_RULE}`);
  }
  return refuseTaken('host_name_key', `There is a host with the name ${name}`, () =>
    db.transaction(async (tx) => {
      const self = await lockPresent(tx, id);
      if (!self) return false;
      if (isEnabled !== undefined) requireState(self, ['Enabled', 'Disabled']);
      const resourceState: ResourceState | undefined =
        isEnabled === undefined ? undefined : isEnabled ? 'Enabled' : 'Disabled';
      const set = withoutUndefined({ name, tags, resourceState });
      if (Object.keys(set).length === 0) return true;
      await tx.update(host).set(set).where(eq(host.id, id));
      await note(tx, caller, self, { type: 'HOST.UPDATE', what: `was changed: ${JSON.stringify(set)}` });
      return true;
    }),
  );
}

/**
 * It takes virtual machines again. What a job is about to stop there is left running.
 *
 * @returns false when there is no such host
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is not in maintenance, nor being prepared for it
 */
export const endMaintenance = (tx: Transaction, caller: Caller, id: string): Promise<boolean> =>
  enable(tx, caller, id, {
    type: 'MAINT.CANCEL',
    from: MAINTENANCE_STATES,
    what: 'is not in maintenance any more',
  });

/**
 * The operator vouches for nothing any more: what the host still owes keeps virtual machines from being started
 * elsewhere again.
 *
 * @returns false when there is no such host
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is not Degraded
 */
export const endDegraded = (tx: Transaction, caller: Caller, id: string): Promise<boolean> =>
  enable(tx, caller, id, { type: 'HOST.CANCEL.DEGRADED', from: ['Degraded'], what: 'is not Degraded any more' });

async function enable(
  tx: Transaction,
  caller: Caller,
  id: string,
  { type, from, what }: { type: string; from: readonly ResourceState[]; what: string },
): Promise<boolean> {
  const self = await lockPresent(tx, id);
  if (!self) return false;
  requireState(self, from);
  await tx.update(host).set({ resourceState: 'Enabled' }).where(eq(host.id, id));
  await note(tx, caller, self, { type, what });
  return true;
}

async function lockPresent(tx: Transaction, id: string): Promise<HostRow | undefined> {
  const isPresent = and(eq(host.id, id), isNull(host.removed));
  const [self] = await tx.select().from(host).where(isPresent).for('no key update');
  return self;
}

function requireState({ name, resourceState }: HostRow, allowed: readonly ResourceState[]): void {
  if (allowed.includes(resourceState)) return;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Host ${name} is in resource state ${resourceState}`);
}

const note = (tx: Transaction, caller: Caller, { id, name }: HostRow, { type, what }: { type: string; what: string }) =>
  audit(tx, caller, { type, description: `Host ${name} ${what}`, resourceType: 'Host', resourceId: id });
