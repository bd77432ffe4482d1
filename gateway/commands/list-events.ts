import { listEvents as readEvents } from '../../db/reads/list-events.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, date, oneOf, string, uuid, withDefault } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { eventFields, eventResponse } from '../responses/event.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';

export const listEvents = defineCommand({
  name: 'listEvents',
  description:
    'Lists what was done and what happened, the latest first: what belongs to the caller, for a root admin all.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    keyword: string('Only what has this text in its type, level or description.'),
    id: uuid('ID of the event.'),
    startid: uuid('ID of the event: none of Slipway has others that follow from it.'),
    type: string('Type of the event.'),
    level: oneOf(['INFO', 'WARN', 'ERROR'], 'Level of the event.'),
    startdate: date('Not before this: yyyy-MM-dd, or yyyy-MM-dd HH:mm:ss in UTC, or ISO 8601.'),
    enddate: date('Not after this; a day counts to its end.', { isEnd: true }),
    archived: withDefault(boolean('Whether archived events are listed, and only those.', { since: '4.19.0' }), false),
    state: oneOf(['Created', 'Scheduled', 'Started', 'Completed'], 'State; all are Completed.', { since: '4.21.0' }),
    resourcetype: string('Type of the resource.', { since: '4.17.0' }),
    resourceid: uuid('ID of the resource.', { since: '4.17.0' }),
    ...scopeParameters,
    ...unsupported({ projectid: { type: 'uuid' }, duration: { type: 'integer' }, entrytime: { type: 'integer' } }),
  },
  response: { objectName: 'event', fields: eventFields },
  async handle(args, context) {
    const { db, caller } = context;
    if (args.state !== undefined && args.state !== 'Completed') return { count: 0, items: [] };
    const ids = [args.id, args.startid].filter((id) => id !== undefined);
    const filter = {
      ids: ids.length === 0 ? undefined : ids,
      type: args.type,
      level: args.level,
      from: args.startdate,
      to: args.enddate,
      isArchived: args.archived,
      resourceType: args.resourcetype,
      resourceId: args.resourceid,
      scope: await scopeOf(args, context, { hasId: ids.length > 0 }),
      keyword: args.keyword,
    };
    const { count, rows } = await readEvents(db, caller, filter, pageOf(args));
    return { count, items: rows.map((row) => eventResponse(row, caller)) };
  },
});
