import { listGuestOses } from '../../db/reads/list-guest-oses.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const listOsTypes = defineCommand({
  name: 'listOsTypes',
  description: 'Lists OS types that templates are registered with.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the OS type.'),
    description: string('Only what has this text in its description.', { since: '3.0.1' }),
    oscategoryid: uuid('ID of a family, as listOsCategories has it.'),
    ...unsupported({
      fordisplay: { type: 'boolean', since: '4.18.1', harmless: 'true' },
    }),
  },
  response: {
    objectName: 'ostype',
    fields: {
      id: field('string', 'ID of the OS type.'),
      name: field('string', 'Name.'),
      description: field('string', 'Name.'),
      oscategoryid: field('string', 'ID of the family of the OS.'),
      oscategoryname: field('string', 'Family of the OS.'),
      isuserdefined: field('boolean', 'Always false.'),
      fordisplay: field('boolean', 'Always true.'),
    },
  },
  async handle(args, { db }) {
    const { count, rows } = await listGuestOses(
      db,
      { id: args.id, description: args.description, categoryId: args.oscategoryid, keyword: args.keyword },
      pageOf(args),
    );
    return {
      count,
      items: rows.map(({ guestOs, categoryId }) => ({
        id: guestOs.id,
        name: guestOs.displayName,
        description: guestOs.displayName,
        oscategoryid: categoryId,
        oscategoryname: guestOs.category,
        isuserdefined: false,
        fordisplay: true,
      })),
    };
  },
});
