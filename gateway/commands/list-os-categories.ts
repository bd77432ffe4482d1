import { listOsCategories as readCategories } from '../../db/reads/list-guest-oses.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const listOsCategories = defineCommand({
  name: 'listOsCategories',
  description: 'Lists families of OS types.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the family.'),
    name: string('Name of the family.', { since: '3.0.1' }),
    ...withoutEffect({ showicon: { type: 'boolean', since: '4.21.0' } }),
    ...unsupported({
      arch: { type: 'string', since: '4.21.0' },
      isfeatured: { type: 'boolean', since: '4.21.0' },
      isiso: { type: 'boolean', since: '4.21.0' },
      isvnf: { type: 'boolean', since: '4.21.0' },
      zoneid: { type: 'uuid', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'oscategory',
    fields: { id: field('string', 'ID of the family.'), name: field('string', 'Name.') },
  },
  async handle(args, { db }) {
    const { id, name, keyword } = args;
    const { count, rows } = await readCategories(db, { id, name, keyword }, pageOf(args));
    return { count, items: rows.map((row) => ({ id: row.id, name: row.name })) };
  },
});
