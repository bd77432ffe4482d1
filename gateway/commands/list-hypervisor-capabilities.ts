import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string, uuid } from '../protocol/parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

/** There is one, and it is part of Slipway: everywhere it has the same id. */
const KVM = {
  id: '6b2f0f9e-9d0a-4f0e-8a55-0c8f5f6a7a11',
  hypervisor: 'KVM',
  hypervisorversion: 'default',
  maxdatavolumeslimit: 0,
  securitygroupenabled: false,
  storagemotionenabled: false,
  vmsnapshotenabled: false,
};

export const listHypervisorCapabilities = defineCommand({
  name: 'listHypervisorCapabilities',
  description: 'Tells what virtual machines can do on a hypervisor here.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    id: uuid('ID of the capabilities.'),
    hypervisor: string('Hypervisor.'),
  },
  response: {
    objectName: 'hypervisorcapabilities',
    fields: {
      id: field('string', 'ID of the capabilities.'),
      hypervisor: field('string', 'Always KVM.'),
      hypervisorversion: field('string', 'Always default: the same of every version.'),
      maxdatavolumeslimit: field('integer', 'Data disks of a virtual machine: none.'),
      securitygroupenabled: field('boolean', 'Always false.'),
      storagemotionenabled: field('boolean', 'Always false.'),
      vmsnapshotenabled: field('boolean', 'Always false.'),
    },
  },
  handle(args) {
    const { id = KVM.id, hypervisor = KVM.hypervisor, keyword = '' } = args;
    const text = keyword.toLowerCase();
    const isMeant = id === KVM.id && hypervisor.toLowerCase() === 'kvm' && 'kvm'.includes(text);
    const { offset } = pageOf(args);
    return Promise.resolve({ count: isMeant ? 1 : 0, items: isMeant && offset === 0 ? [KVM] : [] });
  },
});
