import { ROLES } from '../../shared/roles.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid } from '../protocol/parameters.js';
import { ADMINS, defineCommand } from './define-command.js';

const TYPES = ROLES.map(({ type }) => type);

export const listRoles = defineCommand({
  name: 'listRoles',
  description: 'Lists the roles that there are; none can be made.',
  kind: 'list',
  allowedRoles: ADMINS,
  since: '4.9.0',
  params: {
    ...listParameters,
    id: uuid('ID of the role.'),
    name: string('Name of the role.'),
    type: oneOf(TYPES, 'Type of the role.'),
    state: oneOf(['enabled', 'disabled'], 'State; all are enabled.'),
  },
  response: {
    objectName: 'role',
    fields: {
      id: field('string', 'ID of the role.'),
      name: field('string', 'Name.'),
      type: field('string', 'Admin, DomainAdmin or User.'),
      description: field('string', 'What it may do.'),
      isdefault: field('boolean', 'Always true.'),
      ispublic: field('boolean', 'Always true.'),
      state: field('string', 'Always enabled.'),
    },
  },
  handle(args) {
    const { limit, offset } = pageOf(args);
    const found = ROLES.filter(
      ({ id, name, type }) =>
        (args.id ?? id) === id &&
        (args.name ?? name).toLowerCase() === name.toLowerCase() &&
        (args.type ?? type) === type &&
        args.state !== 'disabled' &&
        name.toLowerCase().includes((args.keyword ?? '').toLowerCase()),
    );
    const items = found.slice(offset, offset + limit).map(({ id, name, type, description }) => ({
      id,
      name,
      type,
      description,
      isdefault: true,
      ispublic: true,
      state: 'enabled',
    }));
    return Promise.resolve({ count: found.length, items });
  },
});
