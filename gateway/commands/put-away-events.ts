import { putAwayEvents } from '../../db/events.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { date, string, uuids } from '../protocol/parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

const putAway = (name: 'archiveEvents' | 'deleteEvents', description: string, how: 'archive' | 'delete') =>
  defineCommand({
    name,
    description: `${description} A caller may choose their own only, a root admin any. Without anything to choose by it is refused.`,
    kind: 'sync',
    allowedRoles: EVERYBODY,
    params: {
      ids: uuids('IDs of the events, comma separated.'),
      type: string('Type of the events.'),
      startdate: date('Not before this; only together with enddate.'),
      enddate: date('Not after this; a day counts to its end.', { isEnd: true }),
    },
    response: { objectName: 'success', fields: { success: field('boolean', 'Always true.') } },
    async handle({ ids, type, startdate: from, enddate: to }, { db, caller }) {
      if (ids === undefined && type === undefined && to === undefined) {
        throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'Either ids, type or enddate must be specified');
      }
      if (from !== undefined && to === undefined) {
        throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'The parameter enddate must be specified with startdate');
      }
      await putAwayEvents(db, caller, { ids, type, from, to }, how);
      return { success: true };
    },
  });

export const archiveEvents = putAway('archiveEvents', 'Takes events out of the list, and keeps them.', 'archive');
export const deleteEvents = putAway('deleteEvents', 'Deletes events.', 'delete');
