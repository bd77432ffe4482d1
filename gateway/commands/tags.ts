import { listTags as readTags } from '../../db/reads/list-tags.js';
import type { Transaction } from '../../db/client.js';
import { addTags, removeTags, TAGGED_TYPES, type TaggedType } from '../../db/resource-tags.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, required, string, uuid, uuids } from '../protocol/parameters.js';
import { keysAndValues, tagPairs } from '../protocol/tag-pairs.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { tagFields, tagResponse } from '../responses/tag.js';
import { asyncParameters } from './async-jobs.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { scopeOf, scopeParameters } from './list-scope.js';

/** Each may get as many tags at once as a thing may have: together they fit into one statement. */
const MOST_RESOURCES = 100;

const resources = {
  resourceids: required(uuids('IDs of what they are on, comma separated.', { maxLength: MOST_RESOURCES * 37 })),
  resourcetype: required(oneOf(TAGGED_TYPES, 'Type of what they are on.')),
};
const success = { objectName: 'success', fields: { success: field('boolean', 'Always true.') } };

interface On {
  resourceids: string[];
  resourcetype: TaggedType;
  customjobid?: string | undefined;
}

/** Does something to each once, though it be named twice. The job names the first of them. */
async function doneTo(
  jobCmd: string,
  { resourceids, resourcetype: type, customjobid }: On,
  context: CommandContext,
  work: (tx: Transaction, resources: { type: TaggedType; ids: string[] }) => Promise<void>,
): Promise<{ jobid: string }> {
  const ids = [...new Set(resourceids)].toSorted();
  const [instanceId] = ids;
  if (instanceId === undefined) throw invalid('Parameter resourceids names nothing');
  return doneAtOnce({ jobCmd, customjobid, instanceType: 'Tag', instanceId }, context, async (tx) => {
    await work(tx, { type, ids });
    return true;
  });
}

export const createTags = defineCommand({
  name: 'createTags',
  description:
    'Puts tags on virtual machines, templates, ISOs, volumes, networks, accounts or users: keys with values, by which lists of the first five find them.',
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
  handle({ tags, customer, ...on }, context) {
    return doneTo('createTags', on, context, (tx, resources) =>
      addTags(tx, context.caller, resources, { tags, customer }),
    );
  },
});

export const deleteTags = defineCommand({
  name: 'deleteTags',
  description: 'Takes tags off what has them.',
  kind: 'async',
  since: '4.0.0',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    ...resources,
    tags: keysAndValues('Tags of these keys, and where they have one of this value; all when absent.'),
  },
  response: success,
  handle({ tags = [], ...on }, context) {
    return doneTo('deleteTags', on, context, async (tx, resources) => {
      const removed = await removeTags(tx, context.caller, resources, tags);
      // As CloudStack's job fails.
      if (removed === 0)
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'Failed to delete tags: there are none of them');
    });
  },
});

export const listTags = defineCommand({
  name: 'listTags',
  description: 'Lists tags, whatever they are on.',
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
