import { listTags as readTags } from '../../db/reads/list-tags.js';
import { addTags, removeTags, TAGGED_TYPES } from '../../db/resource-tags.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, required, string, uuid, uuids } from '../protocol/parameters.js';
import { keysAndValues, tagPairs } from '../protocol/tag-pairs.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { tagFields, tagResponse } from '../responses/tag.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { scopeOf, scopeParameters } from './list-scope.js';

const resources = {
  resourceids: required(uuids('IDs of what they are on, comma separated.')),
  resourcetype: required(oneOf(TAGGED_TYPES, 'Type of what they are on.')),
};
const success = { objectName: 'success', fields: { success: field('boolean', 'Always true.') } };

/** Each once: what is named twice is meant once. */
function idsOf(resourceids: string[]): string[] {
  if (resourceids.length === 0) throw invalid('Parameter resourceids names nothing');
  return [...new Set(resourceids)].sort();
}

export const createTags = defineCommand({
  name: 'createTags',
  description:
    'Puts tags on virtual machines, templates, ISOs or volumes: keys with values, which lists show and find.',
  kind: 'async',
  since: '4.0.0',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    ...resources,
    tags: required(tagPairs('Tags, as tags[0].key=…&tags[0].value=….')),
    customer: string('What the client calls itself.'),
  },
  response: success,
  handle({ resourceids, resourcetype: type, tags, customer, customjobid }, context) {
    const ids = idsOf(resourceids);
    const call = { jobCmd: 'createTags', customjobid, instanceType: 'Tag', instanceId: ids[0]! };
    return doneAtOnce(call, context, async (tx) => {
      await addTags(tx, context.caller, { type, ids }, { tags, customer });
      return true;
    });
  },
});

export const deleteTags = defineCommand({
  name: 'deleteTags',
  description: 'Takes tags off virtual machines, templates, ISOs or volumes.',
  kind: 'async',
  since: '4.0.0',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    ...resources,
    tags: keysAndValues('Tags of these keys, and where they have one of this value; all when absent.'),
  },
  response: success,
  handle({ resourceids, resourcetype: type, tags, customjobid }, context) {
    const ids = idsOf(resourceids);
    const call = { jobCmd: 'deleteTags', customjobid, instanceType: 'Tag', instanceId: ids[0]! };
    return doneAtOnce(call, context, async (tx) => {
      const removed = await removeTags(tx, context.caller, { type, ids }, tags ?? []);
      // As CloudStack's job fails.
      if (removed === 0)
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'Failed to delete tags: there are none of them');
      return true;
    });
  },
});

export const listTags = defineCommand({
  name: 'listTags',
  description: 'Lists tags of virtual machines, templates, ISOs and volumes.',
  kind: 'list',
  since: '4.0.0',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...scopeParameters,
    resourcetype: oneOf(TAGGED_TYPES, 'Type of what they are on.'),
    resourceid: uuid('ID of what they are on.'),
    key: string('Key.'),
    value: string('Value.'),
    customer: string('What the client that made them calls itself.'),
    ...unsupported({ projectid: { type: 'uuid' } }),
  },
  response: { objectName: 'tag', fields: tagFields },
  async handle(args, context) {
    const filter = {
      type: args.resourcetype,
      resourceId: args.resourceid,
      key: args.key,
      value: args.value,
      customer: args.customer,
      scope: await scopeOf(args, context, { hasId: args.resourceid !== undefined }),
      keyword: args.keyword,
    };
    const { count, rows } = await readTags(context.db, context.caller, filter, pageOf(args));
    return { count, items: rows.map(tagResponse) };
  },
});
