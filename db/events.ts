import { and } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import type { Caller } from './reads/find-caller.js';
import { chosenBy, type EventFilter } from './reads/list-events.js';
import { ownedBy } from './reads/list-query.js';
import { event } from './schema/index.js';

type Choice = Pick<EventFilter, 'ids' | 'type' | 'from' | 'to'>;

/**
 * Takes events out of the list, or deletes them.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when one that was named is not there, or not the caller's; then nothing
 *   is done
 */
export const putAwayEvents = (db: Database, caller: Caller, choice: Choice, how: 'archive' | 'delete'): Promise<void> =>
  db.transaction(async (tx) => {
    const isChosen = and(ownedBy(caller, event.accountId), ...chosenBy(choice));
    const id = { id: event.id };
    const done =
      how === 'delete'
        ? await tx.delete(event).where(isChosen).returning(id)
        : await tx.update(event).set({ archived: true }).where(isChosen).returning(id);
    if (choice.ids === undefined || done.length === new Set(choice.ids).size) return;
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `Unable to ${how} Events. One or more parameters has invalid values`,
    );
  });
