import { field } from '../protocol/fields.js';
import { uuid } from '../protocol/parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const listHypervisors = defineCommand({
  name: 'listHypervisors',
  description: 'Lists hypervisors: KVM, in every zone.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: { zoneid: uuid('ID of the zone.') },
  response: { objectName: 'hypervisor', fields: { name: field('string', 'Always KVM.') } },
  handle: () => Promise.resolve({ count: 1, items: [{ name: 'KVM' }] }),
});
