import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedEvent } from '../../db/reads/list-events.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const eventFields = {
  id: field('string', 'ID of the event.'),
  type: field('string', 'What was done, or happened: a name of CloudStack where it has one.'),
  level: field('string', 'INFO, WARN or ERROR.'),
  description: field('string', 'What came of it, for people. Only root admins are told of hosts, pools and sources.'),
  state: field('string', 'Always Completed: there is an event when something has ended, well or not.'),
  created: field('date', 'When it happened.'),
  archived: field('boolean', 'Whether it was archived.'),
  username: field('string', 'Who asked for it; absent for what happens by itself.'),
  account: field('string', 'Name of the account that owns the resource.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  resourcetype: field('string', 'Type of the resource.'),
  resourceid: field('string', 'ID of the resource.'),
  resourcename: field('string', 'Name of the resource as it is now.'),
  jobid: field('string', 'ID of the job, which may be kept no longer. Slipway has this key, CloudStack has not.'),
  workflowid: field(
    'string',
    'ID of its workflow in Temporal; for root admins. Slipway has this key, CloudStack has not.',
  ),
} as const;

export function eventResponse(row: ListedEvent, caller: Caller): ResponseOf<typeof eventFields> {
  const { event } = row;
  return {
    id: event.id,
    type: event.type,
    level: event.level,
    description: caller.role === 'Admin' ? event.description : (event.ownerDescription ?? event.description),
    state: 'Completed',
    created: apiDate(event.created),
    archived: event.archived,
    username: row.username ?? undefined,
    account: row.accountName ?? undefined,
    domainid: row.domainId ?? undefined,
    domain: row.domainName ?? undefined,
    domainpath: row.domainPath === null ? undefined : shownDomainPath(row.domainPath),
    resourcetype: event.resourceType ?? undefined,
    resourceid: event.resourceId ?? undefined,
    resourcename: row.resourceName ?? undefined,
    jobid: event.jobId ?? undefined,
    workflowid: caller.role === 'Admin' ? (event.workflowId ?? undefined) : undefined,
  };
}
